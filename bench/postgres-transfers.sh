#!/usr/bin/env bash
# Transfers between two ranges of a three-node Synod cluster (every write on two disks before it is acknowledged), against
# transfers between two PostgreSQL servers (not replicated) under PREPARE TRANSACTION and COMMIT PREPARED.
# Arguments are handed on: --clients 8,32 --accounts N --rounds N --seconds N --json.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
build
start_synod
start_postgres
bench transfers --synod "$synod_endpoints" --postgres "$postgres_servers" "$@"
