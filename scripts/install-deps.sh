#!/usr/bin/env bash
# Installs the Debian packages that are missing. Debian 12 and Ubuntu 24.04 have all of them.
#
#   scripts/install-deps.sh          what it takes to build, test and run
#   scripts/install-deps.sh --dev    also the linters, sanitizer tools and the proto checker's runtime
#   scripts/install-deps.sh --plots  also what scripts/reproduce.sh computes and draws with
set -euo pipefail

packages=(
  build-essential
  ccache
  cmake
  ninja-build
  pkgconf
  # The wire.
  libgrpc++-dev
  libprotobuf-dev
  protobuf-compiler
  protobuf-compiler-grpc
  # Sampling.
  libboost-dev
  libeigen3-dev
  libhwy-dev
  librandom123-dev
  # Server and client.
  libabsl-dev
  libcli11-dev
  libcsv-dev
  libisal-dev
  libspdlog-dev
  libsqlite3-dev
  libsqlitecpp-dev
  libzip-dev
  nlohmann-json3-dev
  # Tests and benchmarks.
  libbenchmark-dev
  libgmock-dev
  libgtest-dev
)
developer_packages=(
  # Pinned: another version formats differently and knows other warnings.
  clang-14
  clang-format-14
  clang-tidy-14
  git
  libclang-rt-14-dev
  valgrind
)
plot_packages=(
  python3
  python3-matplotlib
  python3-numpy
  python3-scipy
)

case "${1-}" in
  "") ;;
  --dev)
    packages+=("${developer_packages[@]}")
    # Node may come from elsewhere, and then Debian's npm cannot be installed beside it.
    command -v npm >/dev/null || packages+=(npm)
    ;;
  --plots) packages+=("${plot_packages[@]}") ;;
  *)
    echo "usage: scripts/install-deps.sh [--dev | --plots]" >&2
    exit 2
    ;;
esac

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  echo "error: this is not Debian or Ubuntu; install the packages listed in $0 by other means" >&2
  exit 1
fi

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
  [[ $status == installed* ]] || missing+=("$package")
done
if ((${#missing[@]} == 0)); then
  exit 0
fi

as_root=()
if [[ $(id -u) != 0 ]]; then
  if ! command -v sudo >/dev/null; then
    echo "error: packages are missing and there is no sudo; as root, run" >&2
    echo "  apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi
apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300)

echo "Installing ${#missing[@]} packages: ${missing[*]}"
# An unreachable third-party source must not stop us: the installation tells what is not to be had.
"${apt[@]}" update -qq || echo "warning: the package lists could not all be refreshed" >&2
"${apt[@]}" install --yes --quiet --no-install-recommends "${missing[@]}"
