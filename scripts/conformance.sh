#!/bin/sh
# npm run conformance -- --data FOLDER [SUITE...]: checks against data that nobody here made up.
exec sh "$(dirname "$0")/run.sh" test/conformance/main.ts "$@"
