#!/usr/bin/env bash
# Licences, bans and sources of every dependency, and the advisories about them.
#
#   tests/setup/dependencies.sh
#
# The list of advisories is fetched from GitHub. Where that cannot be reached, as on a
# machine without internet, it says that they were not checked, and checks the rest.
set -Eeuo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."

setup="$(tests/setup/cargo-deny.sh)"
eval "$setup"

"$CARGO_DENY" --locked check --hide-inclusion-graph licenses bans sources

# Checked first, so that an advisory is never mistaken for a network failure.
database=https://github.com/RustSec/advisory-db
if GIT_TERMINAL_PROMPT=0 timeout 30 git ls-remote --heads "$database" >/dev/null 2>&1; then
    "$CARGO_DENY" --locked check --hide-inclusion-graph advisories
else
    echo "    WARNING: $database cannot be reached, so the advisories were NOT checked" >&2
fi
