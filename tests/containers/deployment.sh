#!/usr/bin/env bash
# Builds the images, brings up docker-compose.yml and runs the checks.
set -euo pipefail
# Secrets as of a first installation, in a folder of their own.
install -D deploy/make-env.sh "$RUN/deploy/make-env.sh"
"$RUN/deploy/make-env.sh" >/dev/null
export ENV_FILE=$RUN/.env
compose=(docker compose --env-file "$ENV_FILE" --file docker-compose.yml --file tests/containers/compose.yml)
down() { "${compose[@]}" --profile dev down --volumes >/dev/null 2>&1 || true; }
trap down EXIT

tests/containers/images.sh
if [ -n "${BINARIES:-}" ]; then
  install -D --target-directory "$RUN/root/out" "$BINARIES/"{auth-service,drift-service,notify-service,ws-gateway,driftsentry}
  mkdir "$RUN/root/out/data"
  tar -C "$RUN/root" -c . | docker import - stand-in/binaries >/dev/null
  export BINARIES=stand-in/binaries
fi
"${compose[@]}" --profile dev build
docker image ls --filter 'reference=driftsentry/*' --format '{{.Repository}}\t{{.Size}}'
node --test --test-force-exit --test-timeout=900000 --test-reporter=spec --test-concurrency=1 \
  tests/containers/*.check.mjs
