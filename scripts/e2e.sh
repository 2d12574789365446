#!/usr/bin/env bash
# The end-to-end tests: Chromium, driven by Playwright, against the built program. Arguments go to `npm test`.
. "$(dirname "$0")/lib.sh"

npm_ci "$root/tests/e2e"
export PORTCULLIS_PROGRAM=${PORTCULLIS_PROGRAM:-$CARGO_TARGET_DIR/debug/portcullis}
export CHROMIUM=${CHROMIUM:-/usr/bin/chromium}
[ -x "$PORTCULLIS_PROGRAM" ] || die "there is no $PORTCULLIS_PROGRAM: cargo build first"
exec npm test --prefix "$root/tests/e2e" -- "$@"
