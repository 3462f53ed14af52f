#!/usr/bin/env bash
# Installs what is missing, configures and builds one preset.
#
#   scripts/build.sh [preset] [cmake --build arguments...]      preset: release (default), dev, ...
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
preset=${1:-release}
shift $(($# > 0))

# Whether this processor has all the named features.
has() {
  local flags feature
  flags=" $(grep -m1 '^flags' /proc/cpuinfo) "
  for feature in "$@"; do
    [[ $flags == *" $feature "* ]] || return 1
  done
}

# The widest instruction set that this processor runs (docs/adr/0003); nothing for the compiler's default.
instruction_set() {
  [[ $(uname -m) == x86_64 ]] || return 0
  if ! has avx2 fma bmi1 bmi2 f16c abm movbe; then
    echo x86-64-v2
  elif ! has avx512f avx512bw avx512cd avx512dq avx512vl; then
    echo x86-64-v3
  else
    echo x86-64-v4
  fi
}

scripts/install-deps.sh

arch=${POSTERIORD_ARCH-$(instruction_set)}
echo "Instruction set: ${arch:-the default of the compiler}. Draws repeat bit for bit among builds for the same" \
  "one; set POSTERIORD_ARCH to choose another."

# Lets checkouts in different directories share compiled objects.
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1

echo "Configuring $preset"
options=(-DPOSTERIORD_ARCH="$arch")
if [[ -n ${CI-} ]]; then
  options+=(-DPOSTERIORD_WERROR=ON)
fi
log=build/$preset.configure.log
mkdir -p build
if ! cmake --preset "$preset" "${options[@]}" >"$log" 2>&1; then
  cat "$log" >&2
  echo "error: configuring failed. If a tool or a directory has moved, delete build/$preset and retry." >&2
  exit 1
fi
echo "Building $preset (the first time takes several minutes)"
cmake --build --preset "$preset" --parallel "$(nproc)" "$@"
