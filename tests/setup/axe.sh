#!/usr/bin/env bash
# axe-core for the stories about accessibility; used in tests only.
#
#   eval "$(tests/setup/axe.sh)"   sets AXE to the script, installed once per lock file
#
# A script named by AXE beforehand is used if it exists.
set -Eeuo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
if [[ -f "${AXE:-}" ]]; then
    printf 'export AXE=%q\n' "$AXE"
    exit 0
fi
command -v npm >/dev/null || tests/setup/packages.sh nodejs npm >&2
target="$(cargo metadata --locked --no-deps --format-version 1 \
    | python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')"
folder="$target/tools/axe-$(cat tests/axe/* | sha256sum | cut -c1-16)"
if [[ ! -e "$folder/done" ]]; then
    rm -rf -- "$target"/tools/axe-*
    mkdir -p "$folder"
    cp tests/axe/{package.json,package-lock.json,.npmrc} "$folder"
    (cd "$folder" && npm ci --silent --ignore-scripts --no-audit --no-fund) >&2
    touch "$folder/done"
fi
printf 'export AXE=%q\n' "$folder/node_modules/axe-core/axe.min.js"
