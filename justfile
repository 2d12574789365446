# `just` lists everything.

export CARGO_TARGET_DIR := env("CARGO_TARGET_DIR", env("XDG_CACHE_HOME", home_directory() / ".cache") / "portcullis/target")

[private]
default:
    @just --list --unsorted

# start a gate on port 8080 from a debug build, and rebuild the pages when they change (reload the browser)
dev *arguments:
    #!/usr/bin/env bash
    set -euo pipefail
    scripts/setup.sh
    scripts/pages.sh
    (cd web/ui && exec npx vite build --watch --logLevel warn) &
    trap 'kill $!' EXIT
    cargo run -- serve {{ arguments }}

# what is quick: formatting, lints, and all tests but Docker's, S3's and the end-to-end ones
check:
    ./test --fast

# what takes a quarter of an hour to build first: garage, another S3 server, and the tests against it
long:
    scripts/garage.sh install
    cargo test --package portcullis-vault --features long --test s3 garage
    scripts/garage.sh stop

# every scene of the pages in both themes and at two widths, with axe: screenshots in web/ui/output (about ten minutes)
looks:
    scripts/setup.sh test
    scripts/pages.sh
    npm run look --prefix web/ui

# what continuous integration runs
ci:
    .ci/run

# a working minute by Portcullis and by websockify with x11grab, side by side: CPU, bytes, latency
bench-session *arguments:
    scripts/setup.sh test
    scripts/pages.sh
    cargo build --release --locked
    cargo bench --locked --package portcullis-tests --bench session -- {{ arguments }}

# build the desktops' images (or those named); `just images --from debian:bookworm-slim` where a registry is reached
images *arguments:
    images/build.sh {{ arguments }}

# every image in a running session through a gate: its programs, windows, keys, and a page by the egress proxy
images-test *images:
    scripts/images-test.sh {{ images }}

# click to first frame, warm and cold, beside `docker run`; ten at once; destroy; memory and disk; 200 desktops that come and go
bench-desktops *arguments:
    cargo build --release --locked
    cargo bench --locked --package portcullis-tests --bench desktops -- {{ arguments }}

# lists, filters and searches over 100,000 recordings and 10 million events, on SQLite and on a PostgreSQL of its own (some 10 GB, gone afterwards)
bench-index recordings="100000":
    #!/usr/bin/env bash
    set -euo pipefail
    scripts/setup.sh test
    cargo bench --locked --package portcullis-web --bench index -- sqlite {{ recordings }}
    export PORTCULLIS_POSTGRES=/var/tmp/portcullis-bench-postgres PORTCULLIS_POSTGRES_PORT=7491 PORTCULLIS_POSTGRES_MEMORY=1GB
    where=$(scripts/postgres.sh start)
    trap 'scripts/postgres.sh stop; rm -rf "$PORTCULLIS_POSTGRES" "$PORTCULLIS_POSTGRES.lock"' EXIT
    cargo bench --locked --package portcullis-web --bench index -- "${where#POSTGRES_URL=}" {{ recordings }}

# renew the golden files after a change that is meant: OpenAPI, the pages' types, evidence bundles
bless:
    cargo run --quiet -- openapi > docs/openapi.json.part
    mv docs/openapi.json.part docs/openapi.json
    npm run types --prefix web/ui
    BLESS=1 cargo test --quiet --package portcullis-evidence --test format
    BLESS=1 cargo test --quiet --package portcullis-rfb --lib catalogue
    BLESS=1 cargo test --quiet --package portcullis-policy --test reference

# a token that opens DESKTOP for SUBJECT on this machine's gate for a minute
token subject desktop="terminal" group="users":
    cargo run --quiet -- token --subject {{ subject }} --group {{ group }} --desktop {{ desktop }} --ttl 60s

# fuzz every target (or those named) for SECONDS each
fuzz seconds *targets:
    scripts/fuzz.sh {{ seconds }} {{ targets }}

# record the fuzzers' seeds anew from real desktops: Xvnc, x11vnc, QEMU
seeds:
    scripts/setup.sh test
    tests/fuzz/record.py
