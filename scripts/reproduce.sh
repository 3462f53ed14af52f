#!/usr/bin/env bash
# Repeats the experiments of the paper (arXiv 2306.02729): builds the server and its command line,
# starts a server on a free port, has bench/reproduce run all jobs there, and stops the server. Writes
# figures to docs/reproduction and a document, docs/reproduction.md. At the default scale that takes
# about a day of one core; interrupt it at will, the same command goes on where it stopped.
#
#   scripts/reproduce.sh --quick                    a look at everything, in minutes
#   scripts/reproduce.sh --figures fig1 fig2        two of the figures
#   scripts/reproduce.sh --help                     all options, of which three are for the server:
#     --data-dir DIR   its data [posteriord-data/reproduce]
#     --threads N      its threads [one per core]
#     --bin-dir DIR    use the programs of this build instead of building build/release
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

directory=posteriord-data/reproduce
bin_dir=
server_arguments=()
driver_arguments=()
offline=
while (($# > 0)); do
  case $1 in
    --data-dir | --threads | --bin-dir)
      if (($# < 2)); then
        echo "error: $1 needs a value" >&2
        exit 2
      fi
      ;;&
    --data-dir) directory=$2 && shift ;;
    --threads) server_arguments+=(--threads "$2") && shift ;;
    --bin-dir) bin_dir=$2 && driver_arguments+=(--bin-dir "$2") && shift ;;
    --redraw) offline=yes && driver_arguments+=("$1") ;;
    --help | -h)
      sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"
      offline=yes
      driver_arguments+=(--help)
      ;;
    *) driver_arguments+=("$1") ;;
  esac
  shift
done

scripts/install-deps.sh --plots
# Debian's Python has Debian's packages; another one may come first on the path.
driver=(/usr/bin/python3 -m bench.reproduce)
if [[ -n $offline ]]; then
  exec "${driver[@]}" "${driver_arguments[@]}"
fi

if [[ -z $bin_dir ]]; then
  bin_dir=build/release
  scripts/build.sh release --target posteriord posteriorctl
fi

source scripts/own-server.sh
start_server "$directory" "$bin_dir/server/posteriord" "${server_arguments[@]}" >&2

"${driver[@]}" "${driver_arguments[@]}"
