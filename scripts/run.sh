#!/bin/sh
# Runs a TypeScript entry point of the workspace from its sources: sh scripts/run.sh FILE [ARGS...]
# Installs the dependencies first if they are not there.
set -e
cd "$(dirname "$0")/.."
if [ ! -e node_modules/.modules.yaml ] || [ pnpm-lock.yaml -nt node_modules/.modules.yaml ]; then
  npx --yes pnpm@12.21.0 install --frozen-lockfile --prod=false >&2
  touch node_modules/.modules.yaml
fi
exec node --conditions=@hemid/source --import tsx "$@"
