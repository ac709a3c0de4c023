#!/bin/sh
# npm start: the development network.
exec sh "$(dirname "$0")/run.sh" apps/node/src/main.ts dev "$@"
