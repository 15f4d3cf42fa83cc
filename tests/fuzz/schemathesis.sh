#!/usr/bin/env bash
# Schemathesis against the running program: requests made from the OpenAPI
# document, valid and invalid ones, single and in sequences, without and with an
# admin's token; every response must conform to the document, and none be a 5xx.
#
#   tests/fuzz/schemathesis.sh [REQUESTS]   approximate number (20000 with TEST_FULL=1, otherwise 1000)
#
# Needs the debug program (cargo build -p api) and Python 3; Schemathesis is
# installed from the package registry into the target directory, once. If that
# is unreachable, the run is skipped with a warning; with TEST_FULL=1 it
# fails. FUZZ_SEED repeats a run.
set -Eeuo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
exec </dev/null

version=4.32.5
# The coverage phase tests every boundary of every schema: thousands of requests.
if [[ "${TEST_FULL:-}" == 1 ]]; then
    requests=20000 phases=examples,coverage,fuzzing,stateful
else
    requests=1000 phases=examples,fuzzing,stateful
fi
requests="${1:-$requests}"

export SCHEMATHESIS_HOOKS="$PWD/tests/fuzz/hooks.py"
config="$PWD/tests/fuzz/schemathesis.toml"
# shellcheck source=tests/setup/tools.sh
source tests/setup/tools.sh
target="$(target_directory)"
verbund="$target/debug/verbund"

# ---- Schemathesis ----------------------------------------------------------

tool="$target/tools/schemathesis-$version"
schemathesis="$tool/bin/schemathesis"

install() {
    rm -rf -- "$tool"
    python3 -m venv "$tool" || { tests/setup/packages.sh python3-venv && python3 -m venv "$tool"; }
    "$tool/bin/pip" --quiet --disable-pip-version-check install --timeout 30 --retries 2 \
        "schemathesis==$version"
}

if ! "$schemathesis" --version >/dev/null 2>&1 && ! install >&2; then
    rm -rf -- "$tool"
    if [[ "${TEST_FULL:-}" == 1 ]]; then
        echo "Schemathesis cannot be installed, so the interface was NOT fuzzed" >&2
        exit 1
    fi
    echo "    WARNING: Schemathesis cannot be installed, so the interface was NOT fuzzed" >&2
    exit 0
fi

# ---- the server ------------------------------------------------------------

# shellcheck source=tests/setup/demo.sh
source tests/setup/demo.sh
scratch="$(mktemp -d)"
# shellcheck disable=SC2329 # called by the trap
finish() {
    stop_demo
    rm -rf -- "$scratch"
}
trap finish EXIT

export VERBUND_REQUESTS_PER_MINUTE_CLIENT=1000000000 VERBUND_REQUESTS_PER_MINUTE_ADDRESS=1000000000
export VERBUND_AUTH_FAILURES_PER_MINUTE=1000000000
start_demo "$verbund" "$scratch"

# ---- the runs --------------------------------------------------------------

operations="$("$verbund" openapi | python3 -c '
import json, sys
paths = json.load(sys.stdin)["paths"].values()
print(sum(1 for path in paths for method in path if method in ("get", "post", "put", "patch", "delete")))')"
# Two runs, each with two phases of this many requests per operation.
each=$(( requests / operations / 4 ))
if (( each < 1 )); then each=1; fi
seed="${FUZZ_SEED:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}"
echo "    $operations operations, $each examples each and phase, FUZZ_SEED=$seed"

# What is left out, and why: a body that fits the JSON Schema may still break a rule of the
# directory (a reference that exists, a check digit, roles of a relationship) and is a 422 then.
run() {
    # In that folder, since it writes files to the current one.
    (cd "$scratch" && "$schemathesis" --config-file "$config" run "$NODE_URL/openapi.json" \
        --checks all --exclude-checks positive_data_acceptance \
        --phases "$phases" --max-examples "$each" --seed "$seed" \
        --workers 2 --continue-on-failure --no-color --generation-database none \
        --suppress-health-check all --warnings off "$@")
}

status=0
echo "    without a token"
run || status=1
echo "    with an admin's token"
run --header "Authorization: Bearer $NODE_TOKEN" || status=1

# A malformed HTTP request is the client's error, which actix logs as an error of the stream.
if grep -E 'panicked|^[^ ]+ +ERROR ' "$scratch/log" | grep -v 'stream error: request parse error' >&2; then
    echo "the server logged errors" >&2
    status=1
fi
kill -0 "$demo_server" 2>/dev/null || { echo "the server has ended" >&2; status=1; }
exit "$status"
