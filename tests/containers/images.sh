#!/usr/bin/env bash
# Makes stand-ins for the images that the Dockerfile and docker-compose.yml name, from Debian's packages, PyPI
# and this machine's Rust toolchain: no image registry is needed. A stand-in has the name, the users, the
# entry point and the files that the deployment relies on. Needs a running Docker Engine, and root. With the argument
# stand-in/debian, only the root of all others is made.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

has() { docker image inspect "$1" >/dev/null 2>&1; }

# image NAME: builds the Dockerfile on standard input, in the context $work.
image() {
  has "$1" && return
  echo "making $1" >&2
  docker build --quiet --network host --tag "$1" --file - "$work" >/dev/null
}

if ! has stand-in/debian; then
  debootstrap --variant=minbase --include=ca-certificates,tzdata bookworm "$work/debian" >/dev/null
  # This machine may trust further roots, to reach its package registries.
  cp /etc/ssl/certs/ca-certificates.crt "$work/debian/etc/ssl/certs/"
  tar -C "$work/debian" -c . | docker import - stand-in/debian >/dev/null
  rm -rf "$work/debian"
fi

[ "${1:-}" != stand-in/debian ] || exit 0

# The toolchain of this machine, where rustup finds it in the real image.
if ! has rust:1.95-slim-bookworm; then
  toolchain=$(rustc --print sysroot)
  tar -C "$(dirname "$toolchain")" --transform 's,^[^/]*,toolchain,' --exclude '*/share/doc' \
    -cf "$work/toolchain.tar" "$(basename "$toolchain")"
  image rust:1.95-slim-bookworm <<'END'
FROM stand-in/debian
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev
ADD toolchain.tar /usr/local/
ENV PATH=/usr/local/toolchain/bin:$PATH CARGO_HOME=/usr/local/cargo
END
  rm "$work/toolchain.tar"
fi

image gcr.io/distroless/cc-debian12:nonroot <<'END'
FROM stand-in/debian AS debian
RUN mkdir -p /root-of-image/etc/ssl/certs /root-of-image/usr/share /root-of-image/lib64 /root-of-image/tmp \
    /root-of-image/lib/x86_64-linux-gnu /root-of-image/home/nonroot \
 && cp -L /lib64/ld-linux-x86-64.so.2 /root-of-image/lib64/ \
 && cd /lib/x86_64-linux-gnu \
 && cp -L libc.so.6 libm.so.6 libgcc_s.so.1 libpthread.so.0 libdl.so.2 librt.so.1 libresolv.so.2 \
    libnss_dns.so.2 libnss_files.so.2 /root-of-image/lib/x86_64-linux-gnu/ \
 && cp /etc/ssl/certs/ca-certificates.crt /root-of-image/etc/ssl/certs/ \
 && cp -r /usr/share/zoneinfo /root-of-image/usr/share/ \
 && printf 'root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n' \
    > /root-of-image/etc/passwd \
 && printf 'root:x:0:\nnonroot:x:65532:\n' > /root-of-image/etc/group \
 && chmod 1777 /root-of-image/tmp && chown 65532:65532 /root-of-image/home/nonroot
FROM scratch
COPY --from=debian /root-of-image/ /
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
USER 65532
WORKDIR /home/nonroot
END

PATH=$(deploy/tools.sh)
cp -L "$(command -v caddy)" "$work/caddy"
image caddy:2.11-alpine <<'END'
FROM stand-in/debian
RUN apt-get update && apt-get install -y --no-install-recommends libcap2-bin wget
COPY caddy /usr/bin/caddy
RUN setcap cap_net_bind_service=+ep /usr/bin/caddy
ENV XDG_CONFIG_HOME=/config XDG_DATA_HOME=/data
WORKDIR /srv
CMD ["caddy", "run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"]
END

# The entry point does what the real one does with POSTGRES_DB, POSTGRES_USER and POSTGRES_PASSWORD.
cat >"$work/postgres-entrypoint" <<'END'
#!/bin/bash
set -euo pipefail
if [ "$(id -u)" = 0 ]; then
  install -d -o postgres -g postgres -m 0700 "$PGDATA"
  exec setpriv --reuid=postgres --regid=postgres --clear-groups "$0" "$@"
fi
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  chmod 700 "$PGDATA"
  initdb --username="$POSTGRES_USER" --pwfile=<(printf %s "$POSTGRES_PASSWORD") --auth-local=trust \
    --auth-host=scram-sha-256 --data-checksums >/dev/null
  echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
  pg_ctl -w -o "-c listen_addresses=''" start >/dev/null
  [ "$POSTGRES_DB" = "$POSTGRES_USER" ] && createdb --username="$POSTGRES_USER" "$POSTGRES_DB"
  pg_ctl -m fast -w stop >/dev/null
fi
exec postgres -c listen_addresses='*'
END
chmod +x "$work/postgres-entrypoint"
image postgres:17-alpine <<'END'
FROM stand-in/debian
RUN mkdir -p /etc/postgresql-common && echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.conf \
 && apt-get update && apt-get install -y --no-install-recommends postgresql \
 && install -d -o postgres -g postgres -m 1777 /var/lib/postgresql/data \
 && install -d -o postgres -g postgres -m 3777 /var/run/postgresql
COPY postgres-entrypoint /usr/local/bin/docker-entrypoint.sh
ENV PATH=/usr/lib/postgresql/15/bin:$PATH PGDATA=/var/lib/postgresql/data
VOLUME /var/lib/postgresql/data
STOPSIGNAL SIGINT
ENTRYPOINT ["docker-entrypoint.sh"]
END

image redis:7.4-alpine <<'END'
FROM stand-in/debian
RUN apt-get update && RUNLEVEL=1 apt-get install -y --no-install-recommends redis-server redis-tools \
 && mkdir -p /data && chown redis:redis /data
VOLUME /data
WORKDIR /data
CMD ["redis-server"]
END

image prom/prometheus:v3.5.0 <<'END'
FROM stand-in/debian
RUN apt-get update && RUNLEVEL=1 apt-get install -y --no-install-recommends prometheus wget \
 && mkdir -p /prometheus && chown nobody:nogroup /prometheus
WORKDIR /prometheus
USER nobody
ENTRYPOINT ["prometheus", "--storage.tsdb.path=/prometheus"]
END
