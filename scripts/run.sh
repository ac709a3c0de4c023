#!/bin/sh
# Runs a TypeScript entry point of the workspace from its sources: sh scripts/run.sh FILE [ARGS...]
set -e
cd "$(dirname "$0")/.."
sh scripts/install.sh
exec node --conditions=@hemid/source --import tsx "$@"
