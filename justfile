# Shortcuts; every recipe is one command that also works without just.

# list the recipes
default:
    @just --list

# install what the tests need (PostgreSQL, Chromium) and fetch the crates
setup:
    tests/setup/postgres.sh bindir > /dev/null
    tests/setup/chromium.sh > /dev/null
    cargo fetch --locked

# start a server with its database in ./verbund-data, e.g. `just serve --listen 127.0.0.1:9000`
serve *args:
    cargo run --locked -p api --bin verbund -- serve {{args}}

# start a server with the seed pages, and print how to sign in
serve-demo *args:
    cargo run --locked -p api --bin verbund -- serve --demo {{args}}

# run every check, or `just test --full` for the long-running ones too
test *args:
    ./test {{args}}

# run the stories whose names contain NAME, on SQLite and on a private PostgreSQL
story NAME:
    #!/usr/bin/env bash
    set -euo pipefail
    if [[ -z "${TEST_DATABASE_URL:-}" ]]; then
        eval "$(tests/setup/postgres.sh start)"
        trap 'tests/setup/postgres.sh stop "$TEST_POSTGRES_DIR"' EXIT
    fi
    cargo build --locked -p api --bin verbund
    cargo test --locked -p tests --test stories -- {{NAME}}

# run the unit tests of the three crates
unit:
    cargo test --locked -p domain -p persistence -p api --lib

# check formatting, lints and the OpenAPI document
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --locked -- -D warnings
    openapi/lint openapi/openapi.json

# check the layout of the code and the words of all texts
structure:
    tests/setup/structure.py
    tests/setup/words.py

# generate openapi/openapi.json from the code
openapi:
    #!/usr/bin/env bash
    set -euo pipefail
    # Only a complete document replaces the old one.
    cargo run --locked -q -p api --bin verbund -- openapi > openapi/openapi.json.new
    mv openapi/openapi.json.new openapi/openapi.json
    openapi/lint openapi/openapi.json
