#!/usr/bin/env bash
# Every rule of check_rules.sh passes on a tree that keeps it and fails on one that breaks it.
set -euo pipefail
check=$(dirname "${BASH_SOURCE[0]}")/check_rules.sh

tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
failures=0

# Runs `rule` on a tree with the one file `path` that has the line `line`.
expect() {
  local expected=$1 rule=$2 path=$3 line=$4 outcome=passes
  rm -rf "${tree:?}"/*
  mkdir -p "$tree/$(dirname "$path")"
  printf '%s\n' "$line" >"$tree/$path"
  "$check" "$rule" "$tree" >/dev/null || outcome=fails
  if [[ $outcome != "$expected" ]]; then
    echo "$rule $outcome on '$line' in $path"
    failures=$((failures + 1))
  fi
}

expect passes core_includes core/a.h '#include "core/spec.h"'
expect fails core_includes core/a.h '#include "server/b.h"'
expect passes core_libraries core/a.h '// Knows nothing of gRPC.'
expect fails core_libraries core/model/a.cc '#include <grpcpp/grpcpp.h>'
expect fails core_libraries core/model/a.cc '#include "posteriord/v1/job.pb.h"'
expect fails core_libraries core/CMakeLists.txt 'target_link_libraries(core PUBLIC protobuf::libprotobuf)'
expect passes client_includes client/a.h '#include "posteriord/v1/job.pb.h"'
expect fails client_includes client/a.h '#include "core/spec.h"'
expect fails client_includes client/a.h '#include "server/b.h"'
expect passes server_includes server/a.h '#include "core/spec.h"'
expect fails server_includes server/a.h '#include "client/b.h"'
expect passes header_guards core/data/data.h '#ifndef POSTERIORD_CORE_DATA_DATA_H_'
expect fails header_guards core/data/data.h '#ifndef CORE_DATA_H_'
expect passes no_markers core/a.h '// Draws go where the sink takes them.'
expect fails no_markers core/a.h '// TODO: later'
expect passes no_machine_paths docs/a.md 'Keep data under /var/lib/posteriord.'
expect fails no_machine_paths docs/a.md 'Run /home/ada/posteriord/build.'

for rule in $("$check" --list); do
  if ! grep -q "^expect fails $rule " "${BASH_SOURCE[0]}"; then
    echo "no test breaks the rule $rule"
    failures=$((failures + 1))
  fi
done
exit $((failures > 0))
