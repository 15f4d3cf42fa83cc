#!/usr/bin/env bash
# Chromium and its driver for the browser test.
#
#   eval "$(tests/setup/chromium.sh)"   sets CHROME_BIN and CHROMEDRIVER; installs both if they are missing
#
# A browser or driver named by CHROME_BIN or CHROMEDRIVER beforehand is used if it runs.
set -Eeuo pipefail

setup="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"

# Prints the path of the first of the given programs that really runs.
first_that_runs() {
    local name path
    for name in "$@"; do
        if path="$(command -v "$name")" && "$path" --version >/dev/null 2>&1 </dev/null; then
            echo "$path"
            return 0
        fi
    done
    return 1
}

find_browser() {
    first_that_runs ${CHROME_BIN:+"$CHROME_BIN"} chromium chromium-browser google-chrome google-chrome-stable
}

find_driver() {
    first_that_runs ${CHROMEDRIVER:+"$CHROMEDRIVER"} chromedriver /usr/lib/chromium/chromedriver \
        /usr/lib/chromium-browser/chromedriver
}

if ! { find_browser && find_driver; } >/dev/null; then
    echo "chromium: browser or driver not found" >&2
    "$setup/packages.sh" chromium chromium-driver
fi

browser="$(find_browser)" || { echo "chromium: no browser runs here" >&2; exit 1; }
driver="$(find_driver)" || { echo "chromium: no chromedriver runs here" >&2; exit 1; }
echo "chromium: $("$browser" --version </dev/null 2>/dev/null), $("$driver" --version </dev/null)" >&2
printf 'export CHROME_BIN=%q\nexport CHROMEDRIVER=%q\n' "$browser" "$driver"
