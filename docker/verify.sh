#!/usr/bin/env bash
# Builds the image and tries it: starts a container, runs a job in it from outside, stops it gracefully,
# and starts another one on the same data. Uses docker where an engine runs, else buildah, as root.
#
#   docker/verify.sh          needs posteriorctl (scripts/build.sh release --target posteriorctl)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly image=posteriord:verify
readonly base=docker.io/library/debian:bookworm-slim
posteriorctl=$PWD/build/release/client/posteriorctl/posteriorctl
if [[ ! -x $posteriorctl ]]; then
  echo "error: there is no $posteriorctl; first run scripts/build.sh release --target posteriorctl" >&2
  exit 1
fi
work=$(mktemp -d)
container=
server=

clean_up() {
  [[ -z $server ]] || kill "$server" 2>/dev/null || true
  if [[ -n $container ]]; then remove_container; fi
  rm -rf "$work"
}
trap clean_up EXIT

if docker info >/dev/null 2>&1; then
  build_image() { docker build --file docker/Dockerfile --tag "$image" .; }
  image_size() { docker images --format '{{.Size}}' "$image"; }
  start_container() {
    container=$(docker run --detach --publish 127.0.0.1::7741 --volume "$work/data:/var/lib/posteriord" "$image")
    address=$(docker port "$container" 7741/tcp | head -n 1)
  }
  stop_container() {
    docker stop --time 30 "$container" >/dev/null
    [[ $(docker inspect --format '{{.State.ExitCode}}' "$container") == 0 ]]
  }
  remove_container() { docker rm --force "$container" >/dev/null; }
else
  command -v buildah >/dev/null || { echo "error: there is neither a docker engine nor buildah" >&2; exit 1; }
  # No kernel features are needed, so this works inside a container as well. The network is the host's.
  export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
  # A machine that reaches no image registry may still reach Debian's packages.
  ensure_base() {
    buildah inspect --type image "$base" >/dev/null 2>&1 && return
    buildah pull "$base" >/dev/null 2>&1 && return
    local root=$work/rootfs scratch
    debootstrap --variant=minbase --include=ca-certificates bookworm "$root"
    scratch=$(buildah from scratch)
    buildah add --quiet "$scratch" "$root" / >/dev/null
    buildah commit --quiet "$scratch" "$base" >/dev/null
    buildah rm "$scratch" >/dev/null
  }
  build_image() {
    ensure_base
    buildah bud --format docker --network host --pull-never --file docker/Dockerfile --tag "$image" .
  }
  image_size() { buildah images --format '{{.Size}}' "$image"; }
  start_container() {
    container=$(buildah from --pull-never "$image")
    rm -f "$work/data/port"
    # chroot isolation shares the host's ports: take a free one.
    buildah run --network host --volume "$work/data:/var/lib/posteriord" "$container" -- \
      posteriord --listen 127.0.0.1:0 --data-dir /var/lib/posteriord --port-file /var/lib/posteriord/port \
      >"$work/server.log" 2>&1 &
    server=$!
    until [[ -s $work/data/port ]]; do
      kill -0 "$server" 2>/dev/null || { cat "$work/server.log" >&2; return 1; }
      sleep 0.1
    done
    address=127.0.0.1:$(<"$work/data/port")
  }
  stop_container() {
    # The runner does not pass signals on.
    pkill -TERM --full "^/usr/local/bin/posteriord --listen 127.0.0.1:0 --data-dir /var/lib/posteriord" || true
    local status=0
    wait "$server" || status=$?
    server=
    return $status
  }
  remove_container() { buildah rm "$container" >/dev/null; }
fi

mkdir "$work/data"
chown 10001:10001 "$work/data" # the user of the image
build_image
echo "The image takes $(image_size)."

cat >"$work/job.textproto" <<'JOB'
spec {
  network {
    layers { dense { units: 5 } }
    layers { activation { kind: KIND_RELU } }
    layers { dense { units: 1 } }
    noise_variance: 0.3
    likelihood { gaussian {} }
  }
  data { gaussian { dimension: 10 train_samples: 100 test_samples: 200 } teacher { seed: 1 } }
  schedule { warmup_sweeps: 500 draws: 200 }
}
JOB

start_container
echo "A container serves on $address."
export POSTERIORD_SERVER=$address
until "$posteriorctl" job list >/dev/null 2>&1; do sleep 0.1; done
job=$("$posteriorctl" job submit "$work/job.textproto")
"$posteriorctl" job watch "$job"
"$posteriorctl" job draws "$job" --out "$work/before.npz"
stop_container
remove_container
container=
echo "The container stopped gracefully."

start_container
export POSTERIORD_SERVER=$address
until "$posteriorctl" job list >/dev/null 2>&1; do sleep 0.1; done
"$posteriorctl" job draws "$job" --out "$work/after.npz"
cmp "$work/before.npz" "$work/after.npz"
stop_container
echo "Another container on the same data serves the same draws. All is well."
