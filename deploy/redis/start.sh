#!/bin/sh
# Starts Redis with users.acl. Passwords come from the environment; only their hashes are written to a file.
# Further arguments are passed to redis-server. RUN_DIR must be writable.
set -eu
here=$(dirname "$0")
acl=${RUN_DIR:-/run/redis}/users.acl

hash() {
  [ -n "$2" ] || { echo "$1 is empty: run deploy/make-env.sh" >&2 && exit 1; }
  printf %s "$2" | sha256sum | cut -c1-64
}
admin=$(hash REDIS_ADMIN_PASSWORD "${REDIS_ADMIN_PASSWORD:-}")
auth=$(hash REDIS_AUTH_PASSWORD "${REDIS_AUTH_PASSWORD:-}")
drift=$(hash REDIS_DRIFT_PASSWORD "${REDIS_DRIFT_PASSWORD:-}")
notify=$(hash REDIS_NOTIFY_PASSWORD "${REDIS_NOTIFY_PASSWORD:-}")
gateway=$(hash REDIS_GATEWAY_PASSWORD "${REDIS_GATEWAY_PASSWORD:-}")
backend=$(hash REDIS_BACKEND_PASSWORD "${REDIS_BACKEND_PASSWORD:-}")

# The same setting as that of the services.
prefix=${REDIS_PREFIX:-driftsentry} channels=
case $prefix in
  *[!A-Za-z0-9._-]*) echo "REDIS_PREFIX must consist of letters, digits, '-', '_' and '.'" >&2 && exit 1 ;;
  driftsentry) ;;
  *) channels="{$prefix}:" ;;
esac

umask 077
sed -e '/^#/d' -e '/^$/d' -e "s/@ADMIN@/$admin/; s/@AUTH@/$auth/; s/@DRIFT@/$drift/" \
  -e "s/@NOTIFY@/$notify/; s/@GATEWAY@/$gateway/; s/@BACKEND@/$backend/" -e "s/@PREFIX@/$prefix/g; s/@CHANNELS@/$channels/g" "$here/users.acl" |
  awk '/^ / { sub(/^ +/, " "); line = line $0; next } { if (line) print line; line = $0 } END { print line }' >"$acl"

# If Redis loses the last second of the log, clients load everything again. No event is lost, because the
# outboxes still have the events.
exec redis-server --aclfile "$acl" --appendonly yes --appendfsync everysec --save '' \
  --maxmemory-policy noeviction "$@"
