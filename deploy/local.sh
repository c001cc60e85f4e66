#!/usr/bin/env bash
# Runs the split deployment as processes of this machine: Caddy, two gateways, the other services, a private
# PostgreSQL and Redis (with its ACL), Prometheus. Ctrl-C stops all of them and deletes their data.
#   SKIP_BUILD=1      uses the existing binaries
#   …_PORT            sets other ports
set -euo pipefail
cd "$(dirname "$0")/.."
: "${CADDY_PORT:=8080}" "${AUTH_PORT:=4001}" "${DRIFT_PORT:=4002}" "${NOTIFY_PORT:=4003}"
: "${GATEWAY_1_PORT:=4004}" "${GATEWAY_2_PORT:=4005}"
: "${REDIS_PORT:=6380}" "${PROMETHEUS_PORT:=9090}" "${ADMIN_PORT:=2019}"
PATH=$(deploy/tools.sh)
binaries=$PWD/target/debug
[ -n "${SKIP_BUILD:-}" ] ||
  cargo build -p auth-service -p drift-service -p notify-service -p ws-gateway -p testing --bins

run=$(mktemp -d)
names=() pids=()
exec 4>/dev/null

finish() {
  trap - EXIT INT TERM
  # In reverse order: Caddy first, so that no new requests arrive, then the services, then their stores.
  # PostgreSQL stops when its standard input is closed.
  for ((i = ${#pids[@]} - 1; i > 0; i--)); do
    kill "${pids[i]}" 2>/dev/null || true
    wait "${pids[i]}" 2>/dev/null || true
  done
  exec 4>&-
  wait
  rm -rf "$run"
}
trap finish EXIT
trap 'echo; echo stopping…; finish; exit 0' INT TERM

# start NAME COMMAND...: starts a process in its own session, so that Ctrl-C reaches only this script.
start() {
  names+=("$1")
  setsid "${@:2}" >"$run/$1.log" 2>&1 4>&- &
  pids+=($!)
}

# answers PORT PATH: succeeds if the response has the status 200.
answers() {
  local line
  exec 3<>"/dev/tcp/127.0.0.1/$1" || return 1
  printf 'GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n' "$2" >&3
  read -r line <&3 || true
  exec 3>&-
  [[ $line == *" 200 "* ]]
} 2>/dev/null

# Prints the processes that have ended, and the end of their logs. Fails if all processes run.
show_ended() {
  local i ended=1
  for i in "${!pids[@]}"; do
    kill -0 "${pids[i]}" 2>/dev/null && continue
    echo "${names[i]} ended:" >&2
    tail -n 20 "$run/${names[i]}.log" >&2
    ended=0
  done
  return $ended
}

# until_true NAME CONDITION...: waits until a started process meets a condition.
until_true() {
  local what=$1 i
  shift
  for ((i = 0; i < 300; i++)); do
    "$@" && return
    show_ended && exit 1
    sleep 0.1
  done
  echo "$what is not ready after 30 s; see its log:" >&2
  tail -n 20 "$run/$what.log" >&2
  exit 1
}

# start_bare NAME COMMAND...: starts a process without the environment of the caller. None of these programs
# needs a secret, and Caddy's templates can read the environment.
start_bare() { start "$1" env -i PATH="$PATH" HOME="$run" "${@:2}"; }

random() { head -c 32 /dev/urandom | od -An -vtx1 | tr -d ' \n'; }
REDIS_AUTH_PASSWORD=$(random) REDIS_DRIFT_PASSWORD=$(random) REDIS_NOTIFY_PASSWORD=$(random)
REDIS_GATEWAY_PASSWORD=$(random)

mkfifo "$run/databases"
start_bare postgres bash -c 'exec "$0" <"$1"' "$binaries/private-postgres" "$run/databases"
exec 4>"$run/databases"
printf '\n\n\n' >&4
RUN_DIR=$run REDIS_ADMIN_PASSWORD=$(random) REDIS_BACKEND_PASSWORD=$(random) \
  REDIS_AUTH_PASSWORD=$REDIS_AUTH_PASSWORD REDIS_DRIFT_PASSWORD=$REDIS_DRIFT_PASSWORD \
  REDIS_NOTIFY_PASSWORD=$REDIS_NOTIFY_PASSWORD REDIS_GATEWAY_PASSWORD=$REDIS_GATEWAY_PASSWORD \
  start redis deploy/redis/start.sh --port "$REDIS_PORT" --bind 127.0.0.1 --dir "$run"
all_databases() { [ "$(wc -l <"$run/postgres.log")" -ge 3 ]; }
until_true postgres all_databases
redis_ready() { grep -q 'Ready to accept' "$run/redis.log"; }
until_true redis redis_ready
{ read -r auth_database; read -r drift_database; read -r notify_database; } <"$run/postgres.log"

export NODE_ENV=development HOST=127.0.0.1 LOG_FORMAT=json SHUTDOWN_SECONDS=5
export CORS_ORIGIN="http://localhost:$CADDY_PORT,http://127.0.0.1:$CADDY_PORT" TRUSTED_PROXIES=127.0.0.1/32
refresh_secret=$(random)
# start_service NAME PORT REDIS_USER REDIS_PASSWORD [VARIABLE=value...]: starts a service with only the secrets
# that it needs.
start_service() {
  local name=$1 port=$2 redis_url=redis://$3:$4@127.0.0.1:$REDIS_PORT binary=${1%-[12]}
  shift 4
  (($# == 0)) || local -x "$@"
  PORT=$port REDIS_URL=$redis_url start "$name" "$binaries/$binary"
}
start_service auth-service "$AUTH_PORT" auth "$REDIS_AUTH_PASSWORD" \
  DATABASE_URL="$auth_database" JWT_REFRESH_SECRET="$refresh_secret"
start_service drift-service "$DRIFT_PORT" drift "$REDIS_DRIFT_PASSWORD" DATABASE_URL="$drift_database"
start_service notify-service "$NOTIFY_PORT" notify "$REDIS_NOTIFY_PASSWORD" DATABASE_URL="$notify_database"
start_service ws-gateway-1 "$GATEWAY_1_PORT" gateway "$REDIS_GATEWAY_PASSWORD" GATEWAY_NODE=ws-gateway-1
start_service ws-gateway-2 "$GATEWAY_2_PORT" gateway "$REDIS_GATEWAY_PASSWORD" GATEWAY_NODE=ws-gateway-2
until_true auth-service answers "$AUTH_PORT" /ready
until_true drift-service answers "$DRIFT_PORT" /ready
until_true notify-service answers "$NOTIFY_PORT" /ready
until_true ws-gateway-1 answers "$GATEWAY_1_PORT" /ready
until_true ws-gateway-2 answers "$GATEWAY_2_PORT" /ready

cp deploy/prometheus/*.yml "$run"
sed -e "s/auth-service:4001/127.0.0.1:$AUTH_PORT/; s/drift-service:4002/127.0.0.1:$DRIFT_PORT/" \
  -e "s/notify-service:4003/127.0.0.1:$NOTIFY_PORT/" \
  -e "s/ws-gateway-1:4004/127.0.0.1:$GATEWAY_1_PORT/; s/ws-gateway-2:4004/127.0.0.1:$GATEWAY_2_PORT/" \
  deploy/prometheus/targets.yml >"$run/targets.yml"
# Scrapes every second, so that the effect of an action is visible at once.
sed -e "s/localhost:9090/localhost:$PROMETHEUS_PORT/; s/_interval: .*/_interval: 1s/; s/_timeout: .*/_timeout: 1s/" \
  deploy/prometheus/prometheus.yml >"$run/prometheus.yml"
start_bare prometheus prometheus --config.file="$run/prometheus.yml" --storage.tsdb.path="$run/prometheus" \
  --web.listen-address="127.0.0.1:$PROMETHEUS_PORT"
until_true prometheus answers "$PROMETHEUS_PORT" /-/ready

start_bare caddy \
  SITE_ADDRESS=":$CADDY_PORT" CADDY_ADMIN="localhost:$ADMIN_PORT" CONSOLE_DIR="$PWD/services/console" \
  AUTH_UPSTREAM="127.0.0.1:$AUTH_PORT" DRIFT_UPSTREAM="127.0.0.1:$DRIFT_PORT" NOTIFY_UPSTREAM="127.0.0.1:$NOTIFY_PORT" \
  GATEWAY_1="127.0.0.1:$GATEWAY_1_PORT" GATEWAY_2="127.0.0.1:$GATEWAY_2_PORT" \
  caddy run --config Caddyfile
until_true caddy answers "$CADDY_PORT" /health

cat <<END
DriftSentry   http://localhost:$CADDY_PORT
              admin@driftsentry.local / admin123, engineer@… / engineer123, viewer@… / viewer123
Prometheus    http://localhost:$PROMETHEUS_PORT/targets
logs          $run/*.log
END
# Stops all processes when one of them ends, because that means a failure.
wait -n "${pids[@]}" || true
show_ended
exit 1
