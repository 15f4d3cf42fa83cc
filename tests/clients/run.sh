#!/usr/bin/env bash
# Clients generated from the OpenAPI document: generated without a warning, compiled
# strictly with a sample, and the samples run against a node. Then two linters with
# their recommended rules.
#
#   tests/clients/run.sh            everything
#   tests/clients/run.sh generate   generate and compile only
#
# Needs the debug program (cargo build -p api); Node 20 and Python 3 are installed with
# apt-get where they are missing. The generators come from the package registries, pinned
# by the lock files in this directory, and are kept in the target directory.
set -Eeuo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
exec </dev/null
here="$PWD/tests/clients"
document="$PWD/openapi/openapi.json"
# shellcheck source=tests/setup/tools.sh
source tests/setup/tools.sh
target="$(target_directory)"
node="$(npm_tool clients-node "$here/typescript")"
python="$(pip_tool clients-python "$here/python/requirements.txt")"

# ---- generate and compile, once per document and sample ---------------------

made="$(tool_folder clients-made "$document" "$here"/run.sh "$here"/*/*)"
if [[ ! -e "$made/done" ]]; then
    rm -rf -- "$target"/tools/clients-made-*
    mkdir -p "$made/typescript"

    cp "$here"/typescript/{package.json,tsconfig.json,sample.ts} "$made/typescript"
    ln -s "$node/node_modules" "$made/typescript/node_modules"
    "$node/node_modules/.bin/openapi-typescript" "$document" --output "$made/typescript/schema.d.ts" >/dev/null
    (cd "$made/typescript" && node_modules/.bin/tsc)
    echo "    TypeScript: generated and compiled"

    # A warning means that a schema or an operation is left out.
    (cd "$made" && PATH="$python/bin:$PATH" "$python/bin/openapi-python-client" generate \
        --path "$document" --config "$here/python/config.yaml" --meta none \
        --output-path python/verbund_client --fail-on-warning --overwrite)
    cp "$here/python/sample.py" "$made/python"
    (cd "$made/python" && "$python/bin/mypy" --no-error-summary verbund_client \
        && "$python/bin/mypy" --strict --no-error-summary sample.py)
    echo "    Python: generated and type-checked"

    (cd "$here/typescript" && "$node/node_modules/.bin/spectral" lint --ruleset spectral.yaml \
        --fail-severity hint --quiet "$document")
    echo "    Spectral: clean"
    (cd "$here/typescript" && REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true \
        "$node/node_modules/.bin/redocly" lint --config redocly.yaml "$document" >"$made/redocly" 2>&1) \
        || { cat "$made/redocly" >&2; exit 1; }
    echo "    Redocly: clean"
    touch "$made/done"
fi
[[ "${1:-}" != generate ]] || exit 0

# ---- run the samples against a node ----------------------------------------

# shellcheck source=tests/setup/demo.sh
source tests/setup/demo.sh
scratch="$(mktemp -d)"
# shellcheck disable=SC2329 # called by the trap
finish() {
    stop_demo
    rm -rf -- "$scratch"
}
trap finish EXIT
start_demo "$target/debug/verbund" "$scratch"

(cd "$made/typescript" && node out/sample.js)
(cd "$made/python" && "$python/bin/python" sample.py)
