#!/usr/bin/env bash
# Agreement protocols as real processes on loopback, nothing on disk: EPaxos and Multi-Paxos under conflicts beside the EPaxos authors'
# Go code, PBFT and HotStuff with Ed25519 beside libhotstuff and the machine's own limit of signature checks. The peers' figures are
# those of a run on a machine of this kind; see README.md.
# --seconds N, --warm-up N: of each run; --only PROTOCOL: one of the four; --json: the reports instead of tables.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
seconds=3 warm_up=6 only= json=
while [ $# -gt 0 ]; do
    case $1 in
        --seconds) seconds=$2; shift 2 ;;
        --warm-up) warm_up=$2; shift 2 ;;
        --only) only=$2; shift 2 ;;
        --json) json=1; shift ;;
        *) fail "unknown: $1" ;;
    esac
done
need jq jq
# Optimised code at once, in the nodes too. Otherwise compilers of all processes take half of two cores for the first 20 s, and are measured.
export DOTNET_TieredPGO=0 DOTNET_TC_QuickJit=0
say "Building Synod ..."
"$root/synod" --version >&2

# run PROTOCOL CLIENTS [MORE ...]: one run; its report is a line of the results.
run() {
    say "$* ..."
    local protocol=$1 clients=$2
    shift 2
    "$root/synod" bench protocol --protocol "$protocol" --clients "$clients" "$@" --durable off --seconds "$seconds" --warmup "$warm_up" \
        --json 2>>"$work/talk.log" </dev/null | jq -c . >>"$work/$results" || { cat "$work/talk.log" >&2; fail "The run failed."; }
    say "    $(tail -1 "$work/$results" | jq -r '"\(.throughput | round)/s, p50 \(.p50_ms) ms"')"
}

crash() {
    results=crash
    local clients conflict
    run "$1" 1
    for clients in 16 64; do
        for conflict in 0 2 100; do run "$1" "$clients" --conflict "$conflict"; done
    done
    run "$1" 256
}

byzantine() {
    results=byzantine
    local clients block
    for clients in 16 64; do run "$1" "$clients"; done
    # As many clients as libhotstuff had commands under way, by its throughput and latency: 560/s x 28 ms, 20,300/s x 19 ms, 32,000/s x 45 ms.
    while read -r block clients; do run "$1" "$clients" --block "$block"; done <<<$'1 16\n100 386\n400 1440'
    # As libhotstuff's clients, which do not sign.
    run "$1" 1440 --block 400 --client-signatures off
}

table() { column -t -s '|' -o ' | ' | sed 's/ *$//'; echo; }

print() {
    if [ -s "$work/crash" ]; then
        echo "3 nodes, nothing on disk. EPaxos authors' Go code, batching on a 5 ms clock: 178/s (p50 5.6 ms) at 1 client, 11,546/s (5.5) at 64, 43,744/s (5.6) at 256"
        { echo 'protocol|clients|conflicts %|per second|p50 ms|p99 ms|messages|fast path|of the Go code'
          jq -r '({"1": 178, "64": 11546, "256": 43744}[.clients | tostring]) as $go
            | [.protocol, .clients, .conflict_percent, (.throughput | round), .p50_ms, .p99_ms, .messages_per_decision,
               (.fast_path_share // "-"), (if $go then (.throughput / $go * 100 | round | "\(.) %") else "-" end)] | join("|")' "$work/crash"
        } | table
    fi
    if [ -s "$work/byzantine" ]; then
        echo "4 nodes, Ed25519. libhotstuff, whose clients do not sign: 560/s (28 ms), 20,300/s (19 ms), 32,000/s (45 ms) with blocks of 1, 100, 400"
        { echo 'protocol|block|clients|signed|per second|p50 ms|p99 ms|checks a command|made|limit/s|share|of processor|node us|client us'
          jq -r '[.protocol, (.block // "-"), .clients, (if .client_signatures then "yes" else "no" end), (.throughput | round), .p50_ms, .p99_ms, .verified_per_decision, .signed_per_decision,
               .verification_limit_per_second, (.verification_share * 100 | round | "\(.) %"),
               (.verification_processor_share * 100 | round | "\(.) %"), .node_processor_us_per_decision,
               .client_processor_us_per_decision] | join("|")' "$work/byzantine"
        } | table
    fi
}

for protocol in ${only:-multipaxos epaxos pbft hotstuff}; do
    case $protocol in
        multipaxos | epaxos) crash "$protocol" ;;
        *) byzantine "$protocol" ;;
    esac
done
if [ "$json" ]; then
    touch "$work/crash" "$work/byzantine"
    jq -n --slurpfile crash "$work/crash" --slurpfile byzantine "$work/byzantine" '{crash: $crash, byzantine: $byzantine}'
else
    print
fi
