#!/usr/bin/env bash
# Checks one rule of the repository on the tree below `root`; prints each breach and fails if there
# is one.
#
#   check_rules.sh <rule> <root>
#   check_rules.sh --list
set -euo pipefail

readonly rules="core_includes core_libraries client_includes server_includes header_guards no_markers \
no_machine_paths"

# Files below those of the given folders that exist. The rules' own files name what they forbid, so
# they are left out.
sources() {
  local folder folders=()
  for folder in "$@"; do
    [[ -e $folder ]] && folders+=("$folder")
  done
  ((${#folders[@]} == 0)) && return
  find "${folders[@]}" -type f ! -path 'tests/repository/*' -print0
}

# Prints lines of the source files below `folders...` that match `pattern`; keeps grep's "nothing
# found" from being an error.
breaches() {
  local pattern=$1
  shift
  sources "$@" | xargs -0 --no-run-if-empty grep -InE "$pattern" || true
}

guard_of() {
  local path=${1^^}
  path=${path//[.\/-]/_}
  path=${path#POSTERIORD_}
  echo "POSTERIORD_${path}_"
}

check() {
  local header guard
  case "$1" in
    # The sampling core stands on its own (docs/adr/0002).
    core_includes) breaches '#include "(server|client|posteriord|google)/' core ;;
    core_libraries)
      breaches '\.pb\.h|#include .*(grpc|protobuf|sqlite|spdlog)|\b(grpc|gRPC|protobuf|SQLite|spdlog)::' core
      ;;
    # Client and server meet in the wire contract only.
    client_includes) breaches '#include "(core|server)/' client ;;
    server_includes) breaches '#include "client/' server ;;
    header_guards)
      while IFS= read -r -d '' header; do
        [[ $header == *.h ]] || continue
        guard=$(guard_of "$header")
        grep -qx "#ifndef $guard" "$header" || echo "$header: no include guard named $guard"
      done < <(sources core server client tests bench)
      ;;
    no_markers)
      breaches '\b(TODO|FIXME|XXX|HACK)\b' core server client proto/posteriord tests bench scripts \
        cmake docker examples docs README.md CMakeLists.txt
      ;;
    no_machine_paths)
      breaches '(^|[^A-Za-z0-9_.}/])/(home|root|work|Users)/' core server client proto/posteriord \
        tests bench scripts cmake docker examples docs README.md CMakeLists.txt CMakePresets.json
      ;;
    *)
      echo "unknown rule: $1" >&2
      exit 2
      ;;
  esac
}

if [[ ${1-} == --list ]]; then
  printf '%s\n' $rules
  exit
fi
cd "$2"
found=$(check "$1")
if [[ -n $found ]]; then
  echo "$found"
  echo "rule broken: $1"
  exit 1
fi
