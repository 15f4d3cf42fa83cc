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
# shellcheck source=tests/setup/tools.sh
source tests/setup/tools.sh
folder="$(npm_tool axe tests/axe)"
printf 'export AXE=%q\n' "$folder/node_modules/axe-core/axe.min.js"
