#!/usr/bin/env bash
# Creates .env with strong secrets for docker-compose.yml. Adds missing secrets and never overwrites existing ones.
set -euo pipefail
cd "$(dirname "$0")/.."
umask 077
touch .env

add() { grep -q "^$1=" .env || echo "$1=$2" >>.env; }
random() { head -c 32 /dev/urandom | od -An -vtx1 | tr -d ' \n'; }

add NODE_ENV production
# The origins of the pages that may call, including the console's origin.
add CORS_ORIGIN http://localhost:8080
for secret in JWT_REFRESH_SECRET AUTH_DB_PASSWORD DRIFT_DB_PASSWORD NOTIFY_DB_PASSWORD DRIFT_HASH_SECRET NOTIFY_SECRET \
  REDIS_ADMIN_PASSWORD REDIS_AUTH_PASSWORD REDIS_DRIFT_PASSWORD REDIS_NOTIFY_PASSWORD REDIS_GATEWAY_PASSWORD REDIS_BACKEND_PASSWORD \
  GRAFANA_PASSWORD; do
  add "$secret" "$(random)"
done
echo "secrets are in .env, readable by $(id -un) only"
