#!/usr/bin/env bash
# Makes docs/example-report.html, the report of the example, and docs/report.png, its first screen.
#
# Needs Chromium and node (`./test` installs both). ASSAY names the program to use; without it, it is built.
set -euo pipefail
cd "$(dirname "$0")/.."

browser=crates/assay/tests/browser
if [ ! -d "$browser/node_modules/playwright-core" ]; then
    npm ci --prefix "$browser" --no-audit --no-fund
fi
if [ -z "${ASSAY:-}" ]; then
    cargo build --locked --bin assay
    ASSAY=target/debug/assay
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# The example is synthetic: anybody may have it.
"$ASSAY" scan examples/exchange-2021 --tlp clear --out "$scratch/case" >/dev/null
cp "$scratch/case/report.html" docs/example-report.html
node "$browser/picture.mjs" docs/example-report.html docs/report.png
