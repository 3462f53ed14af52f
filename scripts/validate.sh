#!/usr/bin/env bash
# Repeats the statistical tests of the samplers with more samples than a test run can afford, and
# writes what came out to docs/validation.md. Fails when a test fails.
#
#   scripts/validate.sh [effort]     times the samples of scripts/test.sh; default 4
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

effort=${1:-4}
if ! [[ $effort =~ ^[0-9]+$ ]] || ((effort < 1 || effort > 1000)); then
  echo "usage: scripts/validate.sh [effort]     a whole number from 1 to 1000" >&2
  exit 2
fi
programs=(random layers likelihood posterior kernels sampling diagnostics)

targets=()
for program in "${programs[@]}"; do targets+=("${program}_test"); done
scripts/build.sh release --target "${targets[@]}"

results=build/release/validation
rm -rf "$results"
mkdir -p "$results"
# Each test on its own, as ctest would run it, and as many at a time as there are cores.
export POSTERIORD_TEST_EFFORT=$effort
run_test() {
  local program=$1 name=$2
  local binary=build/release/tests/core/$program/${program}_test
  local file=$results/$program.${name//\//_}
  if "$binary" --gtest_filter="$name" --gtest_output=json:"$file.json" >"$file.log" 2>&1; then
    echo "passed  $program $name"
  else
    echo "FAILED  $program $name, see $file.log"
    return 1
  fi
}
export -f run_test
export results

list_tests() {
  local program=$1 suite= line
  build/release/tests/core/"$program"/"${program}"_test --gtest_list_tests | sed 's/ *#.*//' |
    while IFS= read -r line; do
      case $line in
        "  "*) echo "$program $suite${line#  }" ;;
        *.) suite=$line ;;
      esac
    done
}

begin=$SECONDS
status=0
for program in "${programs[@]}"; do list_tests "$program"; done |
  xargs --max-procs="$(nproc)" --max-args=2 bash -c 'run_test "$@"' run_test || status=1
python3 scripts/validation_report.py "$results" --effort "$effort" --seconds $((SECONDS - begin)) \
  >docs/validation.md
echo "docs/validation.md is written."
exit $status
