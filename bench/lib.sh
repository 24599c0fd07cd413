# What the comparisons share: a folder on disk that goes away at exit, processes that end at exit, and how each side starts.
# Everything listens on 127.0.0.1 only. Sourced by the scripts beside it.
set -euo pipefail

bench_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$bench_dir")
work=$(mktemp -d /var/tmp/synod-bench.XXXXXX)
chmod 755 "$work"
started=()
synod_processes=

end_all() {
    local pid
    for pid in "${started[@]}"; do
        kill "$pid" 2>/dev/null || true
    done
    for pid in "${started[@]}"; do
        wait "$pid" 2>/dev/null || true
    done
    rm -rf "$work"
}
trap end_all EXIT
trap 'exit 130' INT TERM

say() { echo "$*" >&2; }

fail() {
    say "$*"
    exit 1
}

# need COMMAND PACKAGE: the command, from Debian's packages if it is missing and we may install.
need() {
    command -v "$1" >/dev/null && return
    [ "$(id -u)" = 0 ] || fail "$1 is missing. Install it as root: apt-get install $2"
    say "Installing $2 ..."
    if ! DEBIAN_FRONTEND=noninteractive apt-get install -y "$2" >"$work/apt.log" 2>&1; then
        apt-get update >>"$work/apt.log" 2>&1 || true
        DEBIAN_FRONTEND=noninteractive apt-get install -y "$2" >>"$work/apt.log" 2>&1 || { tail -20 "$work/apt.log" >&2; exit 1; }
    fi
}

build() {
    say "Building the load generator ..."
    ${DOTNET:-dotnet} build -c Release -v quiet --nologo "$bench_dir/Synod.Bench" >"$work/build.log" 2>&1 \
        || { cat "$work/build.log" >&2; exit 1; }
}

bench() { dotnet "$bench_dir/Synod.Bench/bin/Release/net10.0/Synod.Bench.dll" "$@"; }

# await PORT NAME LOG: until somebody listens there, at most a minute.
await() {
    local tries
    for ((tries = 0; tries < 600; tries++)); do
        (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return
        sleep 0.1
    done
    tail -20 "$3" >&2
    fail "$2 does not listen on port $1."
}

# Three etcd processes; sets etcd_endpoints.
start_etcd() {
    need etcd etcd-server
    local n peers="n1=http://127.0.0.1:24801,n2=http://127.0.0.1:24802,n3=http://127.0.0.1:24803"
    for n in 1 2 3; do
        etcd --name "n$n" --data-dir "$work/etcd$n" --log-level error --logger zap \
            --listen-client-urls "http://127.0.0.1:2470$n" --advertise-client-urls "http://127.0.0.1:2470$n" \
            --listen-peer-urls "http://127.0.0.1:2480$n" --initial-advertise-peer-urls "http://127.0.0.1:2480$n" \
            --initial-cluster "$peers" --initial-cluster-state new >"$work/etcd$n.log" 2>&1 &
        started+=($!)
    done
    for n in 1 2 3; do await "2470$n" "etcd $n" "$work/etcd$n.log"; done
    etcd_endpoints=127.0.0.1:24701,127.0.0.1:24702,127.0.0.1:24703
}

# Two PostgreSQL servers with their defaults, but for what two-phase commit needs; sets postgres_servers.
start_postgres() {
    local bin=/usr/lib/postgresql/15/bin n port as=()
    [ -x "$bin/postgres" ] || PATH="$bin:$PATH" need postgres postgresql-15
    if [ "$(id -u)" = 0 ]; then as=(setpriv --reuid=postgres --regid=postgres --clear-groups); fi
    postgres_servers=
    for n in 1 2; do
        port=2490$n
        install -d -m 700 ${as:+-o postgres -g postgres} "$work/postgres$n"
        "${as[@]}" "$bin/initdb" -D "$work/postgres$n" -U bench -A trust -E UTF8 --locale=C >"$work/initdb$n.log" 2>&1 \
            || { cat "$work/initdb$n.log" >&2; exit 1; }
        "${as[@]}" "$bin/postgres" -D "$work/postgres$n" -p "$port" -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
            -c max_prepared_transactions=200 -c max_connections=200 -c lock_timeout=1s >"$work/postgres$n.log" 2>&1 &
        started+=($!)
        await "$port" "PostgreSQL $n" "$work/postgres$n.log"
        postgres_servers+="${postgres_servers:+|}Host=127.0.0.1;Port=$port;Username=bench;Database=postgres;SSL Mode=Disable;Max Auto Prepare=20"
        postgres_servers+=";Maximum Pool Size=200"
    done
}

# Three Synod processes; sets synod_endpoints and synod_processes. The nodes share this machine's clock: its bound is zero.
start_synod() {
    local n nodes=()
    for n in 1 2 3; do nodes+=(--node "$n=127.0.0.1:2510$n/2500$n"); done
    say "Building Synod ..."
    "$root/synod" --version >&2
    for n in 1 2 3; do
        "$root/synod" start --id "$n" --cluster bench --data "$work/synod$n" "${nodes[@]}" --clock bound --max-offset 0 \
            >"$work/synod$n.log" 2>&1 &
        started+=($!)
        synod_processes+="${synod_processes:+,}$!"
    done
    for n in 1 2 3; do await "2500$n" "Synod $n" "$work/synod$n.log"; done
    synod_endpoints=127.0.0.1:25001,127.0.0.1:25002,127.0.0.1:25003
}
