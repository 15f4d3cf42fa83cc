#!/usr/bin/env bash
# Reads the formats of a node with the public programs that others read them with: calendars with
# icalendar (Python) and ical.js, feeds with feedparser, linked data with PyLD, pyshacl and the types
# of schema.org, graphs with NetworkX, maps with OWSLib.
#
#   tests/formats/run.sh
#
# Needs the debug program (cargo build -p api); Node 20 and Python 3 are installed with apt-get where
# they are missing. The programs come from the package registries, pinned by the lock files in this
# directory, and are kept in the target directory.
set -Eeuo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
exec </dev/null
here="$PWD/tests/formats"
# shellcheck source=tests/setup/tools.sh
source tests/setup/tools.sh
target="$(target_directory)"
node="$(npm_tool formats-node "$here/node")"
python="$(pip_tool formats-python "$here/python/requirements.txt")"

# shellcheck source=tests/setup/demo.sh
source tests/setup/demo.sh
scratch="$(mktemp -d)"
# shellcheck disable=SC2329 # called by the trap
finish() {
    stop_demo
    rm -rf -- "$scratch"
}
trap finish EXIT
export VERBUND_LICENCE=https://creativecommons.org/licenses/by/4.0/
export VERBUND_PUBLISHER="Gesundheitsregion Beispiel" VERBUND_CONTACT_EMAIL=daten@beispiel.example
start_demo "$target/debug/verbund" "$scratch"
export SCRATCH="$scratch"

"$python/bin/python" "$here/python/calendar_check.py"
cp "$here"/node/*.mjs "$node"
for zone in Pacific/Kiritimati America/Los_Angeles; do
    TZ="$zone" node "$node/calendar.mjs" "$scratch"
done
"$python/bin/python" "$here/python/feeds.py"
"$python/bin/python" "$here/python/linked.py"
node "$node/schema.mjs" "$scratch" "$node"
"$python/bin/python" "$here/python/graphs.py"
"$python/bin/python" "$here/python/maps.py"
