#!/usr/bin/env bash
# Three nodes on this machine, partners of each other: Nordhessen, Münsterland and
# Ruhr, each the authority for its own seed pages. Ctrl-C stops them.
#
#   examples/three-nodes.sh [FOLDER]     keeps its data in FOLDER, by default in ./verbund-three
#   PROGRAM=target/debug/verbund examples/three-nodes.sh
#
# The same with Docker: docker compose --profile partners up --build
set -Eeuo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
folder="${1:-verbund-three}"
program="${PROGRAM:-}"
if [[ -z "$program" ]]; then
    cargo build --release --locked --manifest-path "$root/Cargo.toml" -p api --bin verbund
    program="$root/target/release/verbund"
fi

nodes=(nordhessen muensterland ruhr)
ports=(8081 8082 8083)
pages=("000" "003" "001 002 004")

# Partners on this machine are not public addresses.
export VERBUND_OUTBOUND_ALLOWLIST='["127.0.0.0/8"]'

servers=()
stop() {
    kill "${servers[@]}" 2>/dev/null || true
    wait "${servers[@]}" 2>/dev/null || true
}
trap stop EXIT
trap 'exit 0' INT TERM

for i in 0 1 2; do
    data="$folder/${nodes[i]}"
    mkdir -p "$data"
    # The first command with this name creates the database.
    "$program" --data-dir "$data" migrate --origin "${nodes[i]}"
    for page in ${pages[i]}; do
        "$program" --data-dir "$data" import --create-missing "$root/data/seeds/$page.ndjson" >/dev/null
    done
    for j in 0 1 2; do
        if (( i != j )); then
            "$program" --data-dir "$data" partner add "http://127.0.0.1:${ports[j]}" \
                --name "${nodes[j]}" --only-origin "${nodes[j]}" >/dev/null 2>&1 || true # there already
        fi
    done
    "$program" --data-dir "$data" serve --listen "127.0.0.1:${ports[i]}" >"$data/server.log" 2>&1 &
    servers+=($!)
done

cat <<END

  Nordhessen    http://127.0.0.1:8081/docs/
  Münsterland   http://127.0.0.1:8082/docs/
  Ruhr          http://127.0.0.1:8083/docs/

In a few seconds each of them holds the records of all three. Try:

  curl 'http://127.0.0.1:8082/v1/search?topic=gesundheitsversorgung&facets=category&limit=5'
  curl 'http://127.0.0.1:8081/v1/actors?origin=ruhr'
  $program --data-dir $folder/ruhr partner list
  $program --data-dir $folder/nordhessen token --role admin    # to change something and see it arrive

END
wait
