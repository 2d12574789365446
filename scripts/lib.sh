# Words that the scripts share: sourced, not run. Gives `root`, `cache`, `say`, `die`, `as_root`, `step`, `npm_ci`, stamps.
# shellcheck shell=bash
# shellcheck disable=SC2034 # what is set here is used by those who source it
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${PORTCULLIS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/portcullis}
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$cache/target}
# Debian's own client first: another one in PATH may lack what the scripts use.
docker_client=/usr/bin/docker

# plain: passes its input on, without colours where no terminal reads it.
plain() { if [ -t 1 ]; then cat; else sed 's/\x1b\[[0-9;]*[mK]//g'; fi; }
say() { printf '\033[1m==>\033[0m %s\n' "$*" | plain; }
die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# as_root COMMAND…: as root, or by sudo; says what to do when there is neither.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "this needs root, and there is no sudo. As root, run: $*"
  fi
}

# step WORDS COMMAND…: runs the command with its output in a log, shows how far it is (each second on a terminal, else every half minute),
# and the log's end if it fails.
step() (
  words=$1 said=0 failed=0 every=30 end='\n'
  shift
  [ ! -t 1 ] || every=1 end='\033[K\r'
  mkdir -p "$cache/logs"
  log=$(mktemp "$cache/logs/step.XXXXXX")
  say "$words"
  started=$SECONDS
  "$@" >"$log" 2>&1 </dev/null &
  pid=$!
  # shellcheck disable=SC2064 # the number is wanted as it is now
  trap "kill $pid 2>/dev/null || :; exit 130" INT TERM
  while kill -0 "$pid" 2>/dev/null; do
    sleep 0.1
    now=$(((SECONDS - started) / every * every))
    if [ "$now" -gt "$said" ]; then
      said=$now
      printf "    %4d s  %s$end" "$now" "$(tail -c 2000 "$log" | tr '\r' '\n' | { grep -v '^[[:space:]]*$' || :; } | tail -n 1 | cut -c1-90)"
    fi
  done
  wait "$pid" || failed=$?
  if [ "$failed" != 0 ]; then
    tail -n 60 "$log" >&2
    rm -f "$log"
    die "failed: $words"
  fi
  now=$((SECONDS - started))
  if [ "$said" != 0 ] || [ "$now" -ge 10 ]; then printf '    %4d s  done\033[K\n' "$now" | plain; fi
  rm -f "$log"
)

# stamp_of PATH…: a hash over the names and contents of all files there, build products left out.
stamp_of() {
  find "$@" \( -name node_modules -o -name dist -o -name output \) -prune -o -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum | cut -c1-64
}
have_stamp() { [ -f "$cache/stamps/$1" ] && [ "$(cat "$cache/stamps/$1")" = "$2" ]; }
set_stamp() {
  mkdir -p "$cache/stamps"
  printf '%s' "$2" >"$cache/stamps/$1"
}

# npm_ci FOLDER: `npm ci` there, unless its packages are those of the lock file already.
npm_ci() {
  local lock
  lock=$(sha256sum "$1/package-lock.json" | cut -c1-64)
  [ "$(cat "$1/node_modules/.portcullis-lock" 2>/dev/null)" != "$lock" ] || return 0
  step "Fetching the packages of ${1#"$root"/} (about half a minute)" npm ci --prefix "$1" --no-audit --no-fund
  printf '%s' "$lock" >"$1/node_modules/.portcullis-lock"
}
