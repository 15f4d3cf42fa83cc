#!/usr/bin/env bash
# cargo-deny, built once and kept in the target directory.
#
#   eval "$(tests/setup/cargo-deny.sh)"   sets CARGO_DENY; builds it if it is missing
#
# An installed cargo-deny is used. Ours is built without optimisation,
# since it runs for a few seconds.
set -Eeuo pipefail

version=0.20.2

cd "$(dirname "${BASH_SOURCE[0]}")/../.."

if installed="$(command -v cargo-deny)" && "$installed" --version >/dev/null 2>&1 </dev/null; then
    deny="$installed"
else
    # shellcheck source=tests/setup/tools.sh
    source tests/setup/tools.sh
    root="$(target_directory)/tools/cargo-deny-$version"
    deny="$root/bin/cargo-deny"
    if ! "$deny" --version >/dev/null 2>&1 </dev/null; then
        echo "cargo-deny: building $version, once" >&2
        # In another folder, so that our profile and lock file do not apply.
        (cd / && CARGO_TARGET_DIR="$root/build" cargo install --quiet --locked --debug \
            --config 'profile.dev.debug=false' --root "$root" "cargo-deny@$version") </dev/null >&2
        rm -rf -- "$root/build"
    fi
fi
echo "cargo-deny: $("$deny" --version </dev/null)" >&2
printf 'export CARGO_DENY=%q\n' "$deny"
