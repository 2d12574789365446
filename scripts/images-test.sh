#!/usr/bin/env bash
# Every desktop image, or those named, in a session through a gate. Starts an Engine where none runs, and stops it again.
. "$(dirname "$0")/lib.sh"

cd "$root"
scripts/setup.sh test
state=$(scripts/docker-engine.sh status || :)
started=$(scripts/docker-engine.sh start)
export "${started##*$'\n'}"
[[ $state == *DOCKER_HOST=* ]] || trap 'scripts/docker-engine.sh stop' EXIT
images/build.sh "$@"
cargo build --workspace --bins --locked
PORTCULLIS_IMAGES="$*" cargo test --workspace --locked --test images -- --test-threads 1
