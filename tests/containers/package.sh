#!/usr/bin/env bash
# Installs the Debian package of `make dist` in a container in which systemd runs, starts its service, and uses it.
set -euo pipefail
tests/containers/images.sh stand-in/debian
docker build --quiet --network host --tag stand-in/systemd - >/dev/null <<'END'
FROM stand-in/debian
RUN apt-get update && apt-get install -y --no-install-recommends systemd systemd-sysv adduser curl man-db
STOPSIGNAL SIGRTMIN+3
CMD ["/sbin/init"]
END
# systemd mounts file systems, and its units have filters of system calls of their own.
machine=$(docker run --detach --cap-add SYS_ADMIN --security-opt seccomp=unconfined --tmpfs /run --tmpfs /tmp \
  --volume /sys/fs/cgroup:/sys/fs/cgroup stand-in/systemd)
trap 'docker rm --force "$machine" >/dev/null' EXIT
inside() { docker exec --interactive "$machine" "$@"; }
# check DESCRIPTION COMMAND...: runs a command in the machine and prints whether it succeeded.
check() {
  local output
  output=$(inside "${@:2}" 2>&1) || { printf '✖ %s\n%s\n' "$1" "$output" >&2 && exit 1; }
  echo "✔ $1"
}
ready() { inside curl --silent --fail --retry 50 --retry-delay 1 --retry-all-errors --output /dev/null http://localhost:3001/ready; }

for ((i = 0; i < 100; i++)); do
  state=$(inside systemctl is-system-running 2>/dev/null || true)
  [[ $state == running || $state == degraded ]] && break
  sleep 0.2
done
docker cp target/package/driftsentry_*_amd64.deb "$machine:/driftsentry.deb"
check 'dpkg installs the package' dpkg --install /driftsentry.deb
for binary in driftsentry auth-service drift-service notify-service ws-gateway; do
  check "$binary prints its help" "$binary" --help
  check "$binary has a man page and completions" \
    sh -c "man --where $binary && test -s /usr/share/bash-completion/completions/$binary.bash"
  check "$binary names no folder of the machine that built it" \
    sh -c "! grep --text --only-matching --max-count=1 --fixed-strings -e '$PWD/' -e '${CARGO_HOME:-$HOME/.cargo}/' /usr/bin/$binary"
done
check 'only root reads the settings' sh -c \
  '[ "$(stat --format "%U %a" /etc/driftsentry/*.env | sort -u)" = "root 600" ]'
check 'no unit has a mistake' systemd-analyze verify driftsentry.service driftsentry-auth.service \
  driftsentry-drift.service driftsentry-notify.service driftsentry-gateway@1.service
check 'a service without its settings names the missing variable' sh -c \
  'systemctl start driftsentry-auth; for i in $(seq 50); do journalctl -u driftsentry-auth | grep -q "REDIS_URL must be" && exit; sleep 0.1; done; exit 1'
inside systemctl stop driftsentry-auth

check 'the service starts' systemctl start driftsentry
ready
check 'an admin is created' sh -c 'echo "a long password of the admin" | runuser -u driftsentry -- \
  env NODE_ENV=production DATA_DIR=/var/lib/driftsentry driftsentry create-admin --email boss@example.com'
log_in=(curl --silent --fail --header 'Content-Type: application/json'
  --data '{"email":"boss@example.com","password":"a long password of the admin"}' http://localhost:3001/api/auth/login)
check 'the admin logs in' "${log_in[@]}"
check 'its metrics are served on this machine' sh -c 'curl --silent --fail http://localhost:9464/metrics | grep -q process_'
check 'the process has no capability, no way to one, and a user of its own' sh -c \
  'status=/proc/$(systemctl show -p MainPID --value driftsentry)/status && grep -q "CapBnd:.0000000000000000" $status &&
   grep -q "NoNewPrivs:.1" $status && grep -q "Seccomp:.2" $status && grep -q "Uid:.$(id -u driftsentry)" $status'
inside systemd-analyze security --no-pager driftsentry.service | tail -n 1
check 'a killed service restarts' sh -c 'kill -KILL $(systemctl show -p MainPID --value driftsentry)'
ready
check 'the setting of an administrator stays' sh -c 'sed -i "s/^PORT=.*/PORT=3002/" /etc/driftsentry/driftsentry.env &&
  dpkg --install --force-confold /driftsentry.deb && grep PORT=3002 /etc/driftsentry/driftsentry.env'
check 'an upgrade restarts the service with its data' "${log_in[@]/3001/3002}" --retry 50 --retry-delay 1 --retry-all-errors
check 'the service stops with 0' sh -c 'systemctl stop driftsentry && [ "$(systemctl show -p Result --value driftsentry)" = success ]'
check 'the package is removed' dpkg --remove driftsentry
check 'a purge removes settings and data' sh -c \
  'dpkg --purge driftsentry && [ ! -e /etc/driftsentry ] && [ ! -e /var/lib/driftsentry ]'
