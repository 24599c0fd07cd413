#!/usr/bin/env bash
# The raw limits of this machine: an fdatasync of 4 KiB appended to a preallocated file, and a round trip over loopback TCP.
# Arguments are handed on: --seconds N, --json.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
build
bench limits --folder "$work" "$@"
