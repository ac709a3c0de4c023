#!/bin/sh
# npm run test:long: the campaigns of which npm test runs a sample.
HEMID_LONG=1 HEMID_KILLS="${HEMID_KILLS:-500}" exec sh "$(dirname "$0")/test.sh" "$@"
