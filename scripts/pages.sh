#!/usr/bin/env bash
# Builds the pages into web/ui/dist when their sources changed since the last time; `pages.sh install` only fetches what they need.
. "$(dirname "$0")/lib.sh"
cd "$root/web/ui"

# npm_ci FOLDER: `npm ci` there, unless its packages are those of the lock file already.
npm_ci() {
  local lock
  lock=$(sha256sum "$1/package-lock.json" | cut -c1-64)
  [ "$(cat "$1/node_modules/.portcullis-lock" 2>/dev/null)" = "$lock" ] && return
  step "Fetching the packages of ${1#"$root"/} (about half a minute)" npm ci --prefix "$1" --no-audit --no-fund
  printf '%s' "$lock" >"$1/node_modules/.portcullis-lock"
}

npm_ci "$root/web/ui"
[ "${1:-}" != install ] || exit 0

sources=$(stamp_of "$root/web/ui")
if [ ! -f dist/index.html ] || ! have_stamp "pages$(tr / - <<<"$root")" "$sources"; then
  step "Building the pages (about 20 seconds)" npm run build
  set_stamp "pages$(tr / - <<<"$root")" "$sources"
fi
