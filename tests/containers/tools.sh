#!/usr/bin/env bash
# Installs Docker Engine and the tools for its namespaces from Debian. Builds Compose, buildx and kustomize from their Go
# modules in target/tools. Prints Docker's configuration folder, in which the plugins are.
set -euo pipefail
cd "$(dirname "$0")/../.."
tools=$PWD/target/tools/docker
buildx=v0.29.1 compose=v2.40.3 kustomize=v5.7.1

[ "$(id -u)" -eq 0 ] || { echo "the containers need root" >&2 && exit 1; }
packages=()
# need PACKAGE PROGRAM
need() { command -v "$2" >/dev/null || packages+=("$1"); }
need docker.io dockerd
need docker.io docker
need iptables iptables
need iproute2 ip
need slirp4netns slirp4netns
need debootstrap debootstrap
need golang-go go
if [ ${#packages[@]} -gt 0 ]; then
  # Keeps the package from starting its service.
  export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
  { apt-get update -qq && apt-get install -y -qq --no-install-recommends "${packages[@]}"; } >/dev/null
fi

# build NAME MODULE VERSION PROGRAM VARIABLE: `go install` refuses modules that replace others, so the module is built in
# place. Compose reads the version of buildx, which is in the variable.
build() {
  local plugin=$tools/cli-plugins/$1 source
  [ -x "$plugin" ] && return
  mkdir -p "$tools/cli-plugins"
  source=$(go mod download -json "$2@$3" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
  rm -rf "$tools/source"
  cp -r --no-preserve=mode "$source" "$tools/source"
  (cd "$tools/source" && go build -trimpath -ldflags "-s -w -X $2/$5=$3" -o "$plugin" "$4") >&2
  rm -rf "$tools/source"
}
build docker-buildx github.com/docker/buildx $buildx ./cmd/buildx version.Version
build docker-compose github.com/docker/compose/v2 $compose ./cmd internal.Version
[ -x target/tools/go/kustomize ] ||
  GOBIN=$PWD/target/tools/go go install "sigs.k8s.io/kustomize/kustomize/v5@$kustomize" >&2
echo "$tools"
