#!/usr/bin/env bash
# Checks what cannot be compiled: Caddyfile, Dockerfile, compose file, Prometheus's rules, scripts.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH=$(deploy/tools.sh)

caddy fmt --diff Caddyfile >/dev/null || { echo 'run: caddy fmt --overwrite Caddyfile' >&2 && exit 1; }
caddy validate --config Caddyfile 2>&1 | grep -q '^Valid' || { caddy adapt --validate >/dev/null; exit 1; }
hadolint deploy/Dockerfile
dclint --config deploy/dclint.yaml docker-compose.yml
for script in deploy/*.sh deploy/*/*.sh; do bash -n "$script"; done
promtool check config deploy/prometheus/prometheus.yml >/dev/null
promtool test rules deploy/prometheus/*.test.yml >/dev/null
