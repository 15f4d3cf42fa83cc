#!/usr/bin/env bash
# A private, throw-away PostgreSQL server for the tests.
#
#   eval "$(tests/setup/postgres.sh start)"   start one; sets TEST_DATABASE_URL and TEST_POSTGRES_DIR
#   tests/setup/postgres.sh stop              stop it and remove its data (reads TEST_POSTGRES_DIR)
#   tests/setup/postgres.sh crash             end it without warning and start it again (reads TEST_POSTGRES_DIR)
#   tests/setup/postgres.sh bindir            prints the folder of the server's programs; installs them if needed
#
# The server listens on 127.0.0.1 only, on a free port, with a random password,
# and keeps everything in one directory below /tmp. Nothing else on the machine
# is changed; a PostgreSQL that already runs here is not touched.
set -Eeuo pipefail

setup="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# The server's user may not read the directory we were called from.
cd /

say() { echo "postgres: $*" >&2; }

# ---- finding the programs --------------------------------------------------

# True if the directory's server and initdb really run: a dangling link or a
# binary without its libraries does not count.
works() {
    "$1/postgres" --version >/dev/null 2>&1 && "$1/initdb" --version >/dev/null 2>&1 \
        && "$1/pg_ctl" --version >/dev/null 2>&1
}

# Directories that may hold the programs, the most likely first, newest version first.
candidates() {
    local program
    if program="$(command -v initdb)"; then
        dirname "$program"
    fi
    if command -v pg_config >/dev/null; then
        pg_config --bindir || true
    fi
    find /usr/lib/postgresql /usr/pgsql* -maxdepth 2 -type d -name bin 2>/dev/null | sort -rV
    echo /usr/local/pgsql/bin
}

find_bindir() {
    local dir
    while read -r dir; do
        if works "$dir"; then
            echo "$dir"
            return 0
        fi
    done < <(candidates)
    return 1
}

bindir() {
    if ! find_bindir; then
        say "no PostgreSQL server found"
        "$setup/packages.sh" postgresql
        find_bindir || { say "installed, but initdb and postgres still do not run"; return 1; }
    fi
}

# ---- the user it runs as ---------------------------------------------------

# PostgreSQL does not run as root; root runs it as this user.
server_user() {
    if id -u postgres >/dev/null 2>&1; then echo postgres; else echo nobody; fi
}

# Runs a command as the server's user.
as_server() {
    if (( EUID != 0 )); then
        "$@"
        return
    fi
    local user
    user="$(server_user)"
    if command -v setpriv >/dev/null; then
        setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups -- "$@"
    elif command -v runuser >/dev/null; then
        runuser -u "$user" -- "$@"
    else
        su -s /bin/sh "$user" -c "$(printf '%q ' "$@")"
    fi
}

# ---- start and stop --------------------------------------------------------

# Creates the cluster below $1 with the programs in $2 and the password $3.
initialise() {
    local dir="$1" bin="$2" password="$3"
    (umask 077 && printf '%s\n' "$password" >"$dir/password")
    if (( EUID == 0 )); then
        chown -R "$(server_user)" "$dir"
    fi
    as_server "$bin/initdb" --pgdata="$dir/data" --username=verbund --pwfile="$dir/password" \
        --auth=password --encoding=UTF8 --locale=C --no-sync >"$dir/initdb.log" 2>&1 \
        || { cat "$dir/initdb.log" >&2; return 1; }
    rm -f "$dir/password"
}

# Starts the cluster on the first port that is free and prints the port.
launch() {
    local dir="$1" bin="$2" port attempt options
    for attempt in {1..20}; do
        # Below the range from which the kernel assigns ports.
        port=$(( 15000 + RANDOM % 17000 ))
        options="-c listen_addresses=127.0.0.1 -c port=$port -c unix_socket_directories=$dir"
        options+=" -c max_connections=300 -c fsync=off -c full_page_writes=off"
        if as_server "$bin/pg_ctl" --pgdata="$dir/data" --log="$dir/server.log" \
            --options="$options" --wait --timeout=60 start </dev/null >"$dir/start.log" 2>&1; then
            echo "$port"
            return 0
        fi
        if ! grep -q 'could not bind' "$dir/server.log" 2>/dev/null; then
            break
        fi
        say "port $port is taken (attempt $attempt of 20)"
        rm -f "$dir/server.log"
    done
    cat "$dir/start.log" "$dir/server.log" >&2 || true
    return 1
}

start() {
    local bin port password
    bin="$(bindir)"
    password="$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')"
    # Not local: the trap needs it after this function has ended.
    started="$(mktemp -d /tmp/verbund-postgres.XXXXXX)"
    trap 'stop "$started"' EXIT
    initialise "$started" "$bin" "$password"
    port="$(launch "$started" "$bin")"
    say "$("$bin/postgres" --version) on 127.0.0.1:$port in $started"
    echo "export TEST_DATABASE_URL=postgres://verbund:$password@127.0.0.1:$port/postgres"
    echo "export TEST_POSTGRES_DIR=$started"
    trap - EXIT
}

# Stops the server whose directory is $1 and removes the directory.
stop() {
    local dir="$1" bin
    case "$dir" in
        /tmp/verbund-postgres.??????) ;;
        *) say "not a directory of ours: '$dir'"; return 2 ;;
    esac
    if [[ -f "$dir/data/postmaster.pid" ]]; then
        # The data is thrown away, so there is nothing to wait for or to save.
        bin="$(find_bindir)"
        as_server "$bin/pg_ctl" --pgdata="$dir/data" --mode=immediate --wait stop >/dev/null 2>&1 || true
    fi
    rm -rf -- "$dir"
}

# Ends the server whose directory is $1 as a crash would, and starts it again on the same port.
crash() {
    local dir="$1" bin options
    bin="$(find_bindir)"
    options="-c listen_addresses=127.0.0.1 -c port=$(sed -n 4p "$dir/data/postmaster.pid")"
    options+=" -c unix_socket_directories=$dir -c max_connections=300 -c fsync=on"
    as_server "$bin/pg_ctl" --pgdata="$dir/data" --mode=immediate --wait stop >/dev/null
    as_server "$bin/pg_ctl" --pgdata="$dir/data" --log="$dir/server.log" \
        --options="$options" --wait --timeout=60 start </dev/null >/dev/null
}

case "${1:-}" in
    start) start ;;
    crash) crash "${2:-${TEST_POSTGRES_DIR:-}}" ;;
    stop) stop "${2:-${TEST_POSTGRES_DIR:-}}" ;;
    bindir) bindir ;;
    *) sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$setup/postgres.sh" >&2; exit 2 ;;
esac
