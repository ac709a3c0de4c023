#!/bin/sh
# Runs a TypeScript entry point of the workspace from its sources: sh scripts/run.sh FILE [ARGS...]
set -e
cd "$(dirname "$0")/.."
sh scripts/install.sh
# glibc would else keep freed memory in an arena per thread: some hundred MB under load.
export MALLOC_ARENA_MAX="${MALLOC_ARENA_MAX:-2}"
# A table of some hundred MB is read at random places: with huge pages a block takes a twentieth less time at a million accounts.
export GLIBC_TUNABLES="${GLIBC_TUNABLES:-glibc.malloc.hugetlb=1}"
case "$1" in
  # The programs themselves are bundled: they start in a third of the time and need no loader beside them.
  apps/*/src/*) exec node --max-semi-space-size=32 --no-parallel-scavenge scripts/program.mjs "$@" ;;
  *) exec node --max-semi-space-size=32 --no-parallel-scavenge --conditions=@hemid/source --import tsx "$@" ;;
esac
