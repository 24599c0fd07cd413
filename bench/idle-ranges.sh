#!/usr/bin/env bash
# What 1,000 ranges cost each of three nodes while nobody uses them. Arguments are handed on: --ranges N --seconds N --json.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
build
start_synod
bench idle --synod "$synod_endpoints" --processes "$synod_processes" "$@"
