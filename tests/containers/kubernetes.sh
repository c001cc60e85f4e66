#!/usr/bin/env bash
# Builds the overlays of deploy/k8s and checks them.
set -euo pipefail
cd "$(dirname "$0")/../.."
tests/containers/tools.sh >/dev/null
PATH=$PWD/target/tools/go:$(deploy/tools.sh)
export PATH
target/tools/python/bin/python tests/containers/kubernetes.py
