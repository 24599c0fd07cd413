#!/usr/bin/env bash
# Membership over real sockets against hashicorp/memberlist under the same settings: time until a join and a silent death are known to
# all, traffic, and false alarms while some members are starved of the processor. Arguments are handed on: --sizes 32,64,128 --rounds N
# --seconds N --starved-seconds N --json.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need go golang-go
[ -d /usr/share/gocode/src/github.com/hashicorp/memberlist ] || need memberlist golang-github-hashicorp-memberlist-dev
build
say "Building memberlist ..."
# Debian's packages are sources in a GOPATH; nothing is fetched.
(cd "$bench_dir/memberlist" && GO111MODULE=off GOFLAGS=-mod= GOPATH=/usr/share/gocode GOCACHE="$work/go" go build -o "$work/memberlist" .) \
    || fail "memberlist does not build."
bench membership --memberlist "$work/memberlist" "$@"
