# Starts the debug program as a demo node on a free port; to be sourced.
#
#   start_demo PROGRAM FOLDER    sets NODE_URL and NODE_TOKEN; logs to FOLDER/log
#   stop_demo
# shellcheck shell=bash

demo_server=""

start_demo() {
    local verbund="$1" scratch="$2"
    [[ -x "$verbund" ]] || { echo "$verbund is missing; run cargo build -p api" >&2; return 1; }
    export VERBUND_DATA_DIR="$scratch/data" VERBUND_LOG=warn
    # It is read before the server has opened it.
    : >"$scratch/said"
    "$verbund" serve --demo --origin beispiel --listen 127.0.0.1:0 >"$scratch/said" 2>"$scratch/log" &
    demo_server=$!
    NODE_URL=""
    for _ in {1..600}; do
        NODE_URL="$(sed -n 's#^ *API *\(http://[^/]*\).*#\1#p' "$scratch/said")"
        [[ -z "$NODE_URL" ]] || break
        kill -0 "$demo_server" 2>/dev/null || { cat "$scratch/log" >&2; return 1; }
        sleep 0.1
    done
    [[ -n "$NODE_URL" ]] || { echo "the server does not start" >&2; cat "$scratch/log" >&2; return 1; }
    NODE_TOKEN="$("$verbund" token --role admin 2>>"$scratch/log" | tail -n 1)"
    export NODE_URL NODE_TOKEN
}

stop_demo() {
    if [[ -n "$demo_server" ]]; then
        kill "$demo_server" 2>/dev/null || true
        wait "$demo_server" 2>/dev/null || true
    fi
}
