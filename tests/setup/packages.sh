#!/usr/bin/env bash
# Installs Debian packages without asking anything. Used by the other scripts
# of this folder and by ./test; does nothing but install.
#
#   tests/setup/packages.sh postgresql chromium …
#
# Needs apt-get and root (or sudo without a password). Waits up to five
# minutes for another package installation that is under way.
set -Eeuo pipefail

if (( $# == 0 )); then
    echo "usage: tests/setup/packages.sh PACKAGE…" >&2
    exit 2
fi

fail() {
    echo "$1 Please install by hand: $wanted" >&2
    exit 1
}

wanted="$*"
command -v apt-get >/dev/null || fail "This machine has no apt-get."

as_root=()
if (( EUID != 0 )); then
    sudo -n true 2>/dev/null || fail "Installing needs root, or sudo that asks for no password."
    as_root=(sudo -n)
fi

# sudo drops the environment, hence `env` behind it.
apt() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get -q -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@" </dev/null >&2
}

# The timeout above does not cover the lock of the package lists.
update() {
    local attempt
    for attempt in {1..30}; do
        if apt update; then
            return 0
        fi
        echo "apt-get update failed (attempt $attempt of 30), again in 10 s" >&2
        sleep 10
    done
    return 1
}

echo "installing: $wanted" >&2
# Present lists are used first: updating takes time and may not be needed.
if apt install --no-install-recommends "$@"; then
    exit 0
fi
update || fail "The package lists cannot be fetched."
apt install --no-install-recommends "$@" || fail "apt-get could not install the packages."
