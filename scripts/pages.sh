#!/usr/bin/env bash
# Builds the pages into web/ui/dist when their sources changed since the last time; `pages.sh install` only fetches what they need.
. "$(dirname "$0")/lib.sh"
cd "$root/web/ui"

npm_ci "$root/web/ui"
[ "${1:-}" != install ] || exit 0

# The pages' verifier holds evidence against its published schema.
sources=$(stamp_of . ../../docs/evidence.schema.json)
stamp=pages$(tr / - <<<"$root")
if [ ! -f dist/index.html ] || ! have_stamp "$stamp" "$sources"; then
  step "Building the pages (about 20 seconds)" npm run build
  set_stamp "$stamp" "$sources"
fi
