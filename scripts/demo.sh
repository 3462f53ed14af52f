#!/usr/bin/env bash
# Builds the server, starts it on a free port, and samples handwritten digits: a classifier on the
# real labels and, beside it, a probe of it: the same on labels of a known teacher, which tells how
# long a chain takes to forget where it started. Stops the server at the end and leaves one directory
# behind, posteriord-data/demo-<time>, with the server's data, its log and the exported draws.
#
#   scripts/demo.sh [directory]      another place for that directory; it must not exist
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

directory=${1:-posteriord-data/demo-$(date +%Y%m%d-%H%M%S)}
if [[ -e $directory ]]; then
  echo "error: $directory exists already" >&2
  exit 1
fi

scripts/build.sh release --target posteriord posteriorctl
posteriord=build/release/server/posteriord
posteriorctl=build/release/client/posteriorctl/posteriorctl

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
[[ -t 1 ]] || say() { printf '\n%s\n' "$*"; }

source scripts/own-server.sh
say "Starting a server"
start_server "$directory" "$posteriord"

say "Uploading 1,797 handwritten digits of 8 x 8 pixels"
dataset=$("$posteriorctl" dataset upload examples/digits/digits.csv --display-name digits \
  --target digit --test-fraction 0.7 --standardize jointly)
echo "$dataset"

say "Submitting the classifier"
classifier=$("$posteriorctl" job submit examples/digits/classifier.textproto --dataset "$dataset")

say "Probing it: the same on labels of a known teacher, so that we know where chains should end up"
# Its first line is the companion's name, the others are the answer, which 6 says is not a yes.
probe=$("$posteriorctl" job probe "$classifier" --sweeps 50000 --teacher-seed 1) || (($? == 6))
companion=$(head -n 1 <<<"$probe")
answer=$(tail -n +2 <<<"$probe")
echo "$answer"
say "The classifier: real labels"
"$posteriorctl" job watch "$classifier"

say "Exporting the draws"
for job in companion classifier; do
  "$posteriorctl" job draws "${!job}" --out "$directory/$job.npz"
done
ls -l "$directory"/*.npz

say "In short"
# Lines of the summary that begin with `what`.
line() { "$posteriorctl" job get "$1" | grep "^$2:" || true; }
echo "How well do averages over the posterior predict digits never seen, and how well a single draw?"
line "$classifier" Prediction
echo "Do chains started anywhere end up where chains started at the truth are? (The probe)"
echo "$answer"

say "Stopping the server"
stop_server
echo "Stopped. Everything is in $directory. To look at it again:"
echo "  $posteriord --listen 127.0.0.1:7741 --data-dir $directory/data"
echo "  $posteriorctl --server 127.0.0.1:7741 job list"
