.PHONY: help run test lint bench up down

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile

run:  ## everything in one process, on http://localhost:3001
	cargo run --release

test: lint  ## all tests, on SQLite + in-process and on private Postgres + Redis
	tests/run

lint:  ## formatting and warnings, as in CI
	deploy/test-deps.sh
	cargo fmt --check
	cargo clippy --workspace --all-targets -- -D warnings

bench:  ## load on a release build
	bench/run

up:  ## the split deployment, behind Caddy on http://localhost:8080
	docker compose up --build --detach

down:  ## stop it; its data stays
	docker compose down
