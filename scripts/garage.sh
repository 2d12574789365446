#!/usr/bin/env bash
# Another S3 server for the long tests, garage, which has no locks, versions or preconditions and does not say so: `garage.sh install | start | stop | status`.
# `install` builds it by cargo, which takes a quarter of an hour; `start` starts nothing where ours answers already.
. "$(dirname "$0")/lib.sh"

version=2.5.0
tools=$cache/tools
garage=$tools/bin/garage
home=${PORTCULLIS_GARAGE:-$cache/garage}
port=${PORTCULLIS_GARAGE_PORT:-7485}
ready_within=30
# Names of keys have to look like this.
key=GK706f727463756c6c69730000 secret=706f727463756c6c6973706f727463756c6c6973706f727463756c6c69730000

answers() { curl -s -m 2 -o /dev/null "http://127.0.0.1:$port/"; }

# The pid of ours; fails when it does not run. A number alone may be another's by now: the command line tells.
our_pid() {
  local pid
  pid=$(cat "$home/pid" 2>/dev/null) && [ -n "$pid" ] || return 1
  { tr '\0' ' ' <"/proc/$pid/cmdline"; } 2>/dev/null | grep -q -- "$home/garage.toml" || return 1
  printf '%s' "$pid"
}

say_where() { printf '%s\n' "S3_ENDPOINT=http://127.0.0.1:$port" "S3_KEY=$key" "S3_SECRET=$secret"; }

configuration() {
  cat <<WORDS
metadata_dir = "$home/meta"
data_dir = "$home/data"
db_engine = "sqlite"
replication_factor = 1
rpc_bind_addr = "127.0.0.1:$((port + 1))"
rpc_public_addr = "127.0.0.1:$((port + 1))"
rpc_secret = "$(openssl rand -hex 32)"
[s3_api]
s3_region = "us-east-1"
api_bind_addr = "127.0.0.1:$port"
WORDS
}

install() {
  "$garage" --version 2>/dev/null | grep -q "$version" ||
    step "Building garage $version (a quarter of an hour)" cargo install garage --version "$version" --locked --root "$tools"
}

start() {
  local deadline said=("$garage" -c "$home/garage.toml")
  if ! { our_pid >/dev/null && answers; }; then
    [ -x "$garage" ] || die "there is no garage: run scripts/garage.sh install"
    stop
    ! answers || die "another program listens on port $port: choose one with PORTCULLIS_GARAGE_PORT"
    rm -rf "$home"
    mkdir -p "$home"
    configuration >"$home/garage.toml"
    chmod 600 "$home/garage.toml"
    setsid "${said[@]}" server --single-node >"$home/garage.log" 2>&1 </dev/null &
    echo $! >"$home/pid"
    deadline=$((SECONDS + ready_within))
    until answers && "${said[@]}" status >/dev/null 2>&1; do
      if ! our_pid >/dev/null || [ "$SECONDS" -ge "$deadline" ]; then
        tail -n 20 "$home/garage.log" >&2
        stop
        die "garage did not start; its log is $home/garage.log"
      fi
      sleep 0.1
    done
    "${said[@]}" key import --yes -n tests "$key" "$secret" >/dev/null
    "${said[@]}" key allow --create-bucket "$key" >/dev/null
  fi
  say_where
}

stop() {
  local pid deadline
  pid=$(our_pid) || return 0
  kill "$pid" 2>/dev/null || :
  deadline=$((SECONDS + 10))
  while our_pid >/dev/null; do
    [ "$SECONDS" -lt "$deadline" ] || kill -KILL "$pid" 2>/dev/null || :
    sleep 0.1
  done
}

status() {
  if our_pid >/dev/null && answers; then
    say_where
  else
    echo "not running"
    return 1
  fi
}

case ${1:-} in
  install | start | stop | status) "$1" ;;
  *) die "usage: garage.sh install | start | stop | status" ;;
esac
