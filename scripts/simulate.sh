#!/bin/sh
# npm run simulate -- anchoring [options]: what anchoring costs and how long it takes; the last line is one JSON object.
set -e
cd "$(dirname "$0")/.."
name=${1:-}
if [ "$name" != anchoring ]; then
  echo "usage: npm run simulate -- anchoring [options]; --help lists them" >&2
  exit 2
fi
shift
exec sh scripts/run.sh apps/pop-miner/src/simulate.ts "$@"
