#!/usr/bin/env bash
# Builds the release preset and runs its tests; fails when one fails or none ran.
#
#   scripts/test.sh [ctest arguments...]      for instance: scripts/test.sh -R gibbs
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
scripts/build.sh release
ctest --preset release --parallel "$(nproc)" "$@"
