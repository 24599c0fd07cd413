#!/usr/bin/env bash
# Linearizable reads: three Synod processes against three etcd processes. Arguments are handed on, as for etcd-writes.sh.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
build
start_synod
start_etcd
bench kv --reads --synod "$synod_endpoints" --etcd "$etcd_endpoints" "$@"
