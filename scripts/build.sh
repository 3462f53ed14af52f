#!/usr/bin/env bash
# Installs what is missing, configures and builds one preset.
#
#   scripts/build.sh [preset] [cmake --build arguments...]      preset: release (default), dev, ...
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
preset=${1:-release}
shift $(($# > 0))

# The widest instruction set of this kind of machine that every chain may use (docs/adr/0003).
instruction_set() {
  case "$(uname -m)" in
    x86_64) ;;
    *) return ;; # the compiler's default
  esac
  local flags feature
  flags=" $(grep -m1 '^flags' /proc/cpuinfo) "
  for feature in avx2 fma bmi1 bmi2 f16c abm movbe; do
    if [[ $flags != *" $feature "* ]]; then
      echo x86-64-v2
      return
    fi
  done
  echo x86-64-v3
}

scripts/install-deps.sh

arch=$(instruction_set)
if [[ $arch != x86-64-v3 ]]; then
  echo "Instruction set: ${arch:-the default of the compiler} (this processor lacks x86-64-v3)." \
    "Draws are reproducible among builds for the same one."
fi

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
