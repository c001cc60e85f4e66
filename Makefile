.PHONY: help run test test-ha lint fuzz fuzz-api attacks test-containers test-package bench dist up up-local down

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile

run:  ## everything in one process, on http://localhost:3001
	cargo run --release

test: lint  ## all tests, on SQLite + in-process and on private Postgres + Redis
	tests/run

test-ha:  ## failover of Redis (Sentinel, cluster, Valkey) and PostgreSQL (pgbouncer, standby), with real servers
	deploy/test-deps.sh
	tests/ha/run

lint:  ## formatting and warnings, as in CI
	deploy/test-deps.sh
	deploy/lint.sh
	cargo fmt --check
	cargo clippy --workspace --all-targets -- -D warnings

fuzz:  ## random bytes for the decoders of sockets and the readers of scans (FUZZ_RUNS each; needs nightly Rust and cargo-fuzz)
	for target in engineio_payload socketio_packet plain_message; do \
	  (cd services/ws-gateway && cargo +nightly fuzz run $$target -- -runs=$${FUZZ_RUNS:-1000000} -max_len=4096) || exit 1; done
	for target in plan driftctl ui_stream upload; do \
	  (cd libs/scan && cargo +nightly fuzz run $$target -- -runs=$${FUZZ_RUNS:-1000000} -max_len=4096) || exit 1; done

fuzz-api:  ## random requests to every documented operation, for five minutes (FUZZ_SECONDS)
	deploy/test-deps.sh
	tests/fuzz_api/run

attacks:  ## every attack that worked on 0.1.0, against both deployments (URL=… for a running one)
	deploy/test-deps.sh
	cargo build --workspace --all-targets
	tests/attacks/run $(URL)

test-containers:  ## images and docker-compose.yml on a private Docker Engine, and the Kubernetes overlays (root, on Debian)
	deploy/test-deps.sh
	tests/containers/kubernetes.sh
	tests/containers/run deployment

test-package: dist  ## the Debian package, installed in a container in which systemd runs (root, on Debian)
	tests/containers/run package

bench:  ## measurements of a release build under load
	bench/run

dist:  ## archive, Debian package, bills of materials and checksums of a release, in target/package
	deploy/dist.sh

up:  ## the split deployment, behind Caddy on http://localhost:8080
	deploy/make-env.sh
	docker compose up --build --detach

up-local:  ## the same without Docker, as processes of this machine; Ctrl-C stops it
	deploy/local.sh

down:  ## stop the split deployment; its data stays
	docker compose down
