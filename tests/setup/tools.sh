# Public tools from the package registries, installed once per lock file and kept in the target
# directory; to be sourced.
#
#   target_directory         prints the target directory
#   tool_folder NAME FILE…   prints the folder of what these files lead to; it is complete with `done`
#   npm_tool NAME FOLDER     installs the packages that a folder locks, and prints where
#   pip_tool NAME FILE       installs the packages of a requirements file, and prints where
# shellcheck shell=bash

target_directory() {
    cargo metadata --locked --no-deps --format-version 1 \
        | python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])'
}

tool_folder() {
    local name="$1"
    shift
    printf '%s/tools/%s-%s' "$(target_directory)" "$name" "$(cat "$@" | sha256sum | cut -c1-16)"
}

npm_tool() {
    local name="$1" lock="$2" folder
    command -v npm >/dev/null || tests/setup/packages.sh nodejs npm >&2
    folder="$(tool_folder "$name" "$lock/package-lock.json")"
    if [[ ! -e "$folder/done" ]]; then
        rm -rf -- "${folder%-*}"-*
        mkdir -p "$folder"
        cp "$lock"/{package.json,package-lock.json,.npmrc} "$folder"
        (cd "$folder" && npm ci --silent --ignore-scripts --no-audit --no-fund) >&2
        touch "$folder/done"
    fi
    printf '%s' "$folder"
}

pip_tool() {
    local name="$1" requirements="$2" folder
    python3 -c 'import ensurepip, venv' 2>/dev/null || tests/setup/packages.sh python3-venv >&2
    folder="$(tool_folder "$name" "$requirements")"
    if [[ ! -e "$folder/done" ]]; then
        rm -rf -- "${folder%-*}"-*
        python3 -m venv "$folder"
        "$folder/bin/pip" --quiet --disable-pip-version-check install --require-hashes \
            --requirement "$requirements" >&2
        touch "$folder/done"
    fi
    printf '%s' "$folder"
}
