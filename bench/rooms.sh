#!/usr/bin/env bash
# What a decision costs in each protocol's room, in memory on one thread: nanoseconds and bytes, measured by BenchmarkDotNet.
# Arguments are handed on: --only NAME, --json.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
build
bench rooms "$@"
