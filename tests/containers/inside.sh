#!/usr/bin/env bash
# The part of `run` that runs in the namespaces. Arguments: a folder for sockets and secrets, and the script to run.
set -euo pipefail
run=$1
data=$PWD/target/containers

echo >"$run/entered"
for ((i = 0; i < 100; i++)); do
  ip route show default 2>/dev/null | grep -q tap0 && break
  sleep 0.1
done
# The address at which slirp4netns resolves names as this machine does.
echo 'nameserver 10.0.2.3' >"$run/resolv.conf"
mount --bind "$run/resolv.conf" /etc/resolv.conf
# The names of network namespaces that the checks create stay in here.
mkdir -p /run/netns
mount -t tmpfs tmpfs /run/netns

mkdir -p "$data"
export DOCKER_HOST=unix://$run/docker.sock DOCKER_BUILDKIT=1
dockerd --data-root "$data" --exec-root "$run/exec" --pidfile "$run/dockerd.pid" --host "$DOCKER_HOST" \
  >"$run/dockerd.log" 2>&1 </dev/null &
engine=$!
for ((i = 0; i < 100; i++)); do
  docker info >/dev/null 2>&1 && break
  kill -0 $engine 2>/dev/null || break
  sleep 0.2
done
docker info >/dev/null || { tail -n 20 "$run/dockerd.log" >&2 && exit 1; }

stop() {
  trap - EXIT
  kill $engine
  wait $engine || true
}
trap stop EXIT
# The remains of a run that was interrupted.
docker ps --all --quiet | xargs --no-run-if-empty docker rm --force --volumes >/dev/null
docker volume ls --quiet | xargs --no-run-if-empty docker volume rm >/dev/null
docker network prune --force >/dev/null
RUN=$run "tests/containers/$2.sh"
