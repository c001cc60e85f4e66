#!/usr/bin/env bash
# Checks what no compiler checks: the language of texts, import cycles, duplicates, Caddyfiles,
# Dockerfile, compose file, shell scripts, Kubernetes manifests, Prometheus rules.
set -euo pipefail
cd "$(dirname "$0")/.."
deploy/lint_language.sh
deploy/lint_imports.py
deploy/lint_names.py
deploy/lint_duplicates.py
PATH=$(deploy/tools.sh)

for file in Caddyfile deploy/k8s/base/Caddyfile; do
  caddy fmt --diff "$file" >/dev/null || { echo "run: caddy fmt --overwrite $file" >&2 && exit 1; }
  output=$(caddy validate --adapter caddyfile --config "$file" 2>&1) || { echo "$file: $output" >&2 && exit 1; }
done
hadolint deploy/Dockerfile
dclint --config deploy/dclint.yaml docker-compose.yml
for script in deploy/*.sh deploy/*/*.sh tests/containers/{run,*.sh}; do bash -n "$script"; done
for script in deploy/deb/*; do sh -n "$script"; done
kubernetes-validate --strict --quiet deploy/k8s/base/[!k]*.yaml deploy/k8s/overlays/ha/autoscalers.yaml \
  deploy/ci/kubernetes/cronjob.yaml
promtool check config deploy/prometheus/prometheus.yml >/dev/null
promtool test rules deploy/prometheus/*.test.yml >/dev/null
