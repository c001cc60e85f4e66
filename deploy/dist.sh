#!/usr/bin/env bash
# Builds a release in target/package: stripped binaries with man pages and shell completions in one archive, a Debian
# package, a bill of materials (CycloneDX) per binary, and the checksums of all of these.
set -euo pipefail
cd "$(dirname "$0")/.."
binaries=(driftsentry auth-service drift-service notify-service ws-gateway)
tools=$PWD/target/tools/cargo package=$PWD/target/package
deb=cargo-deb@3.8.0 cyclonedx=cargo-cyclonedx@0.5.9

for tool in $deb $cyclonedx; do
  [ -x "$tools/bin/${tool%@*}" ] || cargo install --quiet --locked --root "$tools" "$tool"
done
source deploy/dist-flags.sh
# shellcheck disable=SC2068
cargo build --profile dist --locked ${binaries[@]/#/--package=} --bins
rm -rf "$package"
mkdir -p "$package/docs"
for binary in "${binaries[@]}"; do
  # Without variables, so that none of this machine can get into a page.
  env -i "target/dist/$binary" write-docs "$package/docs"
done
# Pages of the command `help` only repeat the others.
rm -f "$package"/docs/*-help{,-*}.1

version=$(sed -n '/^\[workspace.package\]/,/^$/s/^version = "\(.*\)"/\1/p' Cargo.toml)
name=driftsentry-$version-$(rustc --print host-tuple)
root=$package/$name
install -D --target-directory "$root/bin" "${binaries[@]/#/target/dist/}"
install -D --mode 644 --target-directory "$root/share/man/man1" "$package"/docs/*.1
install -D --mode 644 --target-directory "$root/share/bash-completion/completions" "$package"/docs/*.bash
install -D --mode 644 --target-directory "$root/share/zsh/site-functions" "$package"/docs/_*
install -D --mode 644 --target-directory "$root/share/fish/vendor_completions.d" "$package"/docs/*.fish
install -D --mode 644 --target-directory "$root/share/doc/driftsentry" \
  README.md CHANGELOG.md LICENSE docs/OPERATIONS.md .env.example
# The same input gives the same archive and the same bills.
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
tar -C "$package" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" \
  -c "$name" | gzip --no-name >"$package/$name.tar.gz"

PATH=$tools/bin:$PATH
cargo deb --quiet --package driftsentry --profile dist --no-build --no-strip --output "$package"
cargo cyclonedx --quiet --format json --describe binaries
for binary in "${binaries[@]}"; do
  # Without the folder of this machine.
  sed "s#path+file://$PWD/#path+file:///#g" "services/$binary/${binary}_bin.cdx.json" >"$package/$name.$binary.cdx.json"
done
find . -path ./target -prune -o -name '*.cdx.json' -exec rm {} +

rm -rf "$root" "$package/docs"
cd "$package"
sha256sum -- * >SHA256SUMS
ls -l
