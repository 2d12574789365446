#!/usr/bin/env bash
# Fuzzes what parses a stranger's bytes: `scripts/fuzz.sh SECONDS [TARGET…]`, each target for so long, one after the other.
. "$(dirname "$0")/lib.sh"

case ${1:-} in
  '' | -h | --help)
    printf 'Usage: scripts/fuzz.sh SECONDS [TARGET…]\n\nTargets: '
    for file in "$root"/tests/fuzz/targets/*.rs; do printf '%s ' "$(basename "$file" .rs)"; done
    printf '\n'
    exit
    ;;
  *[!0-9]*) die "$1 is not a number of seconds; see scripts/fuzz.sh --help" ;;
esac
seconds=$1
shift
cd "$root"
if [ $# = 0 ]; then
  for file in tests/fuzz/targets/*.rs; do set -- "$@" "$(basename "$file" .rs)"; done
fi
if ! cargo fuzz --version >/dev/null 2>&1; then
  step "Installing cargo-fuzz" cargo install cargo-fuzz --locked
fi

# The instrumentation's switches are open to a stable compiler by this. No sanitizer: none of the code under test is unsafe.
export RUSTC_BOOTSTRAP=1
export CARGO_TARGET_DIR=$CARGO_TARGET_DIR/fuzz
kept=$CARGO_TARGET_DIR/corpus
total=0 failed=
# Without the session plane, where nothing that is asked for needs it, there is far less to build.
features=--no-default-features
for target; do case $target in ticket | token) features="" ;; esac
done
for target; do
  # shellcheck disable=SC2086 # no word where there is none
  step "Building $target" cargo fuzz build $features --fuzz-dir tests/fuzz --sanitizer none "$target"
done
for target; do
  mkdir -p "$kept/$target" "tests/fuzz/seeds/$target"
  log=$(mktemp)
  say "Fuzzing $target for $seconds s"
  # shellcheck disable=SC2086
  if ! cargo fuzz run $features --fuzz-dir tests/fuzz --sanitizer none "$target" "$kept/$target" "tests/fuzz/seeds/$target" -- \
    -max_total_time="$seconds" -max_len=16384 -rss_limit_mb=1024 -timeout=5 -print_final_stats=1 >"$log" 2>&1; then
    failed="$failed $target"
    tail -n 30 "$log" >&2
  fi
  count=$(awk '/stat::number_of_executed_units/ {print $2}' "$log")
  printf '%-20s %12d executions\n' "$target" "${count:-0}"
  total=$((total + ${count:-0}))
  rm -f "$log"
done
printf '%-20s %12d executions\n' total "$total"
[ -z "$failed" ] || die "found something:$failed (the input lies in tests/fuzz/artifacts; make it a regression test)"
