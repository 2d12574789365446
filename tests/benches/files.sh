#!/usr/bin/env bash
# How fast a file goes through the gate into a desktop, beside curl to a plain file that is hashed: `tests/benches/files.sh [MIB] [ROUNDS]`.
# Needs the built program (PORTCULLIS_PROGRAM, or target/release/portcullis), curl and python3; works in a folder that it removes.
set -euo pipefail
mib=${1:-2048} rounds=${2:-3}
root=$(cd "$(dirname "$0")/../.." && pwd)
program=${PORTCULLIS_PROGRAM:-$root/target/release/portcullis}
work=$(mktemp -d "${TMPDIR:-/tmp}/portcullis-bench.XXXXXX")
gate=
clean_up() {
  trap - EXIT INT TERM
  if [ -n "$gate" ]; then kill "$gate" 2>/dev/null || :; wait "$gate" 2>/dev/null || :; fi
  rm -rf "$work"
}
trap clean_up EXIT INT TERM

mkdir "$work/policies"
cat >"$work/policies/bench.yaml" <<'YAML'
policy: bench
applies: {groups: [benchers]}
allow:
  control: {}
  upload: {max_bytes: 1 TiB}
  download: {max_bytes: 1 TiB}
YAML
# Nobody looks at the desktop: it has to stay all the same for as long as files cross.
cat >"$work/gate.toml" <<TOML
[sessions]
reconnect_seconds = 3600
[files]
largest_mib = $((mib + 1))
session_mib = $((mib * (rounds + 1) * 2))
[[desktops]]
name = "bare"
size = "640x480"
process = { programs = [], transfer_mib = $((mib + 16)) }
TOML
"$program" serve --listen 127.0.0.1:0 --policy "$work/policies" --config "$work/gate.toml" --data "$work/data" >"$work/out" 2>"$work/log" &
gate=$!
until grep -q 'sign-in#' "$work/out"; do
  kill -0 "$gate" || { cat "$work/log"; exit 1; }
  sleep 0.1
done
url=$(grep -o 'http://[^ ]*/sign-in#' "$work/out" | sed 's|/sign-in#||')
token() { PORTCULLIS_DATA="$work/data" "$program" token --subject bench --group benchers --desktop bare --ttl 600s; }
field() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }
session=$(curl -fsS -H "Authorization: Bearer $(token)" --json '{"desktop": "bare"}' "$url/api/sessions" | field id)
seconds() { python3 -c 'import sys; print("%.2f s, %.0f MiB/s" % (float(sys.argv[1]), int(sys.argv[2]) / float(sys.argv[1])))' "$1" "$mib"; }
timed() {
  local start end
  start=$(date +%s.%N)
  "$@" >/dev/null
  end=$(date +%s.%N)
  python3 -c 'import sys; print(float(sys.argv[2]) - float(sys.argv[1]))' "$start" "$end"
}
peak() { grep VmHWM "/proc/$gate/status" | tr -s ' \t' ' '; }

# Bytes that no program takes for a text or an archive, without a disk that would be the bottleneck.
truncate -s "${mib}M" "$work/source"
printf '\001\002\003\377\376' | dd of="$work/source" conv=notrunc status=none
plain() { curl -fsS "file://$work/source" -o "$work/plain" && sha256sum "$work/plain"; }
upload() {
  curl -fsS -H "Authorization: Bearer $bearer" -H 'Content-Type: application/octet-stream' -H 'Expect:' -T "$work/source" -X POST "$url/api/sessions/$session/files?name=bench"
}
download() { curl -fsS -H "Authorization: Bearer $bearer" "$url/api/sessions/$session/files/bench" -o "$work/plain"; }

echo "before: $(peak)"
for round in $(seq "$rounds"); do
  bearer=$(token)
  echo "round $round: curl to a plain file and sha256sum: $(seconds "$(timed plain)")"
  rm -f "$work/plain"
  echo "round $round: upload: $(seconds "$(timed upload)")"
  echo "round $round: download: $(seconds "$(timed download)")"
  rm -f "$work/plain"
  inner=$(pgrep -f 'Xvnc.*rfb.sock' | while read -r pid; do if tr '\0' '\n' <"/proc/$pid/environ" | grep -qx "PORTCULLIS_[A-Z]*=$session"; then echo "$pid"; fi; done | head -n 1)
  rm -f "/proc/$inner/root/home/transfer/bench"
done
echo "after: $(peak)"
