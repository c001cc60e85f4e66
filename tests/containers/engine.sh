#!/usr/bin/env bash
# Prints the variables for a Docker Engine with BuildKit and Compose: the one that runs, or a private one that
# is started with its data in FOLDER. Engine from Debian, Compose and buildx from Go modules.
#   eval "$(tests/containers/engine.sh FOLDER)"
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=$1
tools=$PWD/target/tools/docker
buildx=v0.29.1 compose=v2.40.3

need() {
  command -v "$1" >/dev/null && return
  [ "$(id -u)" -eq 0 ] || { echo "missing: $1 (Debian: $2)" >&2 && exit 1; }
  DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends "$2" >/dev/null
}
need dockerd docker.io
need docker docker.io
need iptables iptables
need debootstrap debootstrap
need go golang-go

# build NAME MODULE VERSION: `go install` refuses modules that replace others, so the module is built in place.
build() {
  local plugin=$tools/cli-plugins/$1 source
  [ -x "$plugin" ] && return
  mkdir -p "$tools/cli-plugins"
  source=$(go mod download -json "$2@$3" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
  cp -r --no-preserve=mode "$source" "$tools/source"
  (cd "$tools/source" && go build -trimpath -ldflags '-s -w' -o "$plugin" "./cmd${4:+/$4}") >&2
  rm -rf "$tools/source"
}
build docker-buildx github.com/docker/buildx $buildx buildx
build docker-compose github.com/docker/compose/v2 $compose

echo "export DOCKER_CONFIG='$tools' DOCKER_BUILDKIT=1"
docker info >/dev/null 2>&1 && exit
mkdir -p "$folder"
setsid dockerd --data-root "$folder/data" --exec-root "$folder/exec" --pidfile "$folder/dockerd.pid" \
  --host "unix://$folder/docker.sock" >"$folder/dockerd.log" 2>&1 </dev/null &
for ((i = 0; i < 100; i++)); do
  docker --host "unix://$folder/docker.sock" info >/dev/null 2>&1 && break
  sleep 0.2
done
docker --host "unix://$folder/docker.sock" info >/dev/null || { tail -n 20 "$folder/dockerd.log" >&2 && exit 1; }
echo "export DOCKER_HOST='unix://$folder/docker.sock'"
