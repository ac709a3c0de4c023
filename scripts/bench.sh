#!/bin/sh
# npm run bench -- NAME: runs bench/NAME.ts; its last line is one JSON object.
set -e
cd "$(dirname "$0")/.."
name=${1:-}
if [ -z "$name" ] || [ ! -f "bench/$name.ts" ]; then
  echo "usage: npm run bench -- NAME, one of: bitcoin engine rpc soak tunnel" >&2
  exit 2
fi
shift
exec sh scripts/run.sh "bench/$name.ts" "$@"
