#!/usr/bin/env bash
# Convergent types beside Akka.DistributedData, in memory on one thread: adds, joins and bytes of an OR-Set, joins of a G-Counter.
# Arguments are handed on: --sizes N,N, --json.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
build
# As with the other parts: optimised code at once.
DOTNET_TC_QuickJit=0 bench crdt "$@"
