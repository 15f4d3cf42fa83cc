# Shortcuts; every recipe is one command that also works without just.

# list the recipes
default:
    @just --list

# install what the tests need (PostgreSQL, Chromium) and fetch the crates
setup:
    tests/setup/postgres.sh bindir > /dev/null
    tests/setup/chromium.sh > /dev/null
    cargo fetch --locked

# start the server with its own database in ./verbund-data, e.g. `just run --demo`
run *args:
    cargo run --locked -p api --bin verbund -- serve {{args}}

# every check, `just test --full` for the long-running ones too
test *args:
    ./test {{args}}

# format and lint only
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --locked -- -D warnings
    openapi/lint openapi/openapi.json

# write openapi/openapi.json anew from the code
openapi:
    #!/usr/bin/env bash
    set -euo pipefail
    # A document is replaced only by a complete one.
    cargo run --locked -q -p api --bin verbund -- openapi > openapi/openapi.json.new
    mv openapi/openapi.json.new openapi/openapi.json
    openapi/lint openapi/openapi.json
