#!/usr/bin/env bash
# Durable replicated writes of 256 B: three Synod processes against three etcd processes, all on loopback and on the same disk.
# Arguments are handed on: --clients 64,1 --ranges N --rounds N --seconds N --json.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
build
start_synod
start_etcd
bench kv --synod "$synod_endpoints" --etcd "$etcd_endpoints" "$@"
