# shellcheck shell=bash
# Sourced by the scripts that build the profile `dist`, so that they share their builds.
# Panic messages and C code name source files: without the folders of this machine.
crates=${CARGO_HOME:-$HOME/.cargo}/registry/src
export CARGO_ENCODED_RUSTFLAGS=--remap-path-prefix=$PWD=driftsentry$'\x1f'--remap-path-prefix=$crates=crates
export CFLAGS="-ffile-prefix-map=$PWD=driftsentry -ffile-prefix-map=$crates=crates"
