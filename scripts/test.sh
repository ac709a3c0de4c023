#!/bin/sh
# npm test: installs what it needs, then lint, types and every test, a real bitcoind included.
cd "$(dirname "$0")/.." || exit 1
fail() {
  echo "$1" >&2
  echo "0 passed, 1 failed, 0 skipped"
  exit 1
}
sh scripts/install.sh || fail "the dependencies could not be installed"
BITCOIND=$(sh scripts/bitcoind.sh) || fail "no bitcoind can be had: set BITCOIND to the path of one"
export BITCOIND
node_modules/.bin/biome check . || fail "lint failed"
node_modules/.bin/tsc -b --force tsconfig.tests.json || fail "types failed"
exec node_modules/.bin/vitest run "$@"
