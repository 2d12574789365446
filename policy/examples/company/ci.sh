#!/bin/sh
# What a change of policies has to pass. BASE is the commit that it is to be merged into; PORTCULLIS the program, if it is not in the PATH.
set -eu
cd "$(dirname "$0")"
portcullis=${PORTCULLIS:-portcullis}

"$portcullis" policy check --strict .
"$portcullis" policy test --coverage .
# For the reviewer: who gains or loses what. Add --no-gains to refuse what somebody gains by.
"$portcullis" policy diff "${BASE:-origin/main}.." .
