#!/usr/bin/env bash
# Installs the programs that the tests need. Without the permission to install, prints what is missing.
set -euo pipefail
cd "$(dirname "$0")/.."

missing=() packages=()

# need PACKAGE PROGRAM...: records the Debian package if one of its programs is missing.
need() {
  local package=$1 program
  shift
  for program in "$@"; do
    if ! command -v "$program" >/dev/null && ! [ -x "/usr/sbin/$program" ] && ! compgen -G "/usr/lib/postgresql/*/bin/$program" >/dev/null; then
      packages+=("$package")
      missing+=("$program (Debian: $package)")
      return
    fi
  done
}

look() {
  missing=() packages=()
  need gcc cc
  need git git
  need curl curl
  need postgresql initdb postgres
  need postgresql-client pg_dump psql
  need pgbouncer pgbouncer
  need redis-server redis-server
  need redis-tools redis-cli
  need nodejs node
  need npm npm
  need golang-go go
  need chromium chromium
  # Debian's python3 cannot create a virtual environment without python3-venv.
  if ! python3 -m ensurepip --version >/dev/null 2>&1; then
    packages+=(python3-venv)
    missing+=("python3 with venv (Debian: python3-venv)")
  fi
}

look
if [ ${#packages[@]} -gt 0 ] && [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
  export DEBIAN_FRONTEND=noninteractive
  # The tests start their own servers, so the server of the package must not run.
  mkdir -p /etc/postgresql-common
  [ -e /etc/postgresql-common/createcluster.conf ] ||
    echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
  look
fi

# Older versions hang if a failed test leaves a resource open.
node --test-force-exit -e 0 2>/dev/null ||
  missing+=("node 20.14 or newer")

for component in fmt clippy; do
  cargo "$component" --version >/dev/null 2>&1 ||
    missing+=("cargo $component (rustup component add rustfmt clippy)")
done

if [ ${#missing[@]} -gt 0 ]; then
  echo "The tests need programs that are not installed:" >&2
  printf '  %s\n' "${missing[@]}" >&2
  exit 1
fi

installed=tests/node_modules/.package-lock.json
if [ ! "$installed" -nt tests/package-lock.json ]; then
  npm ci --prefix tests --no-audit --no-fund --loglevel=error
  touch "$installed"
fi

environment=tests/.venv
if [ ! "$environment/installed" -nt tests/requirements.txt ]; then
  python3 -m venv --clear "$environment"
  "$environment/bin/pip" install --quiet --disable-pip-version-check --requirement tests/requirements.txt
  touch "$environment/installed"
fi
