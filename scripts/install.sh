#!/bin/sh
# Installs the workspace's dependencies if they are not there, or not those of the lock file.
set -e
cd "$(dirname "$0")/.."
mark=node_modules/.hemid-installed
if [ ! -e "$mark" ] || [ pnpm-lock.yaml -nt "$mark" ]; then
  npx --yes pnpm@12.21.0 install --frozen-lockfile >&2
  touch "$mark"
fi
