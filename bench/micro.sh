#!/usr/bin/env bash
# What the parts of a write cost by themselves, in memory on one thread, and how fast the simulator is.
# Arguments are handed on: --seeds N, --json.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
build
# As ./synod runs simulations: optimised code at once.
DOTNET_TC_QuickJit=0 bench micro "$@"
