#!/usr/bin/env bash
# A Docker Engine of our own, for a machine where none runs: `docker-engine.sh start | stop | status`.
# `start` says on its last line which DOCKER_HOST to use, and starts nothing where an Engine answers already. Needs root.
. "$(dirname "$0")/lib.sh"

home=${PORTCULLIS_ENGINE:-$cache/engine}
socket=$home/docker.sock
pid_file=$home/docker.pid
ready_within=60

answers() { curl -fs -m 2 -o /dev/null --unix-socket "$1" http://localhost/_ping; }

# The pid of our dockerd; fails when it does not run. A number alone may be another's by now: the command line tells.
our_pid() {
  local pid
  pid=$(cat "$pid_file" 2>/dev/null) && [ -n "$pid" ] || return 1
  tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -q -- "--data-root $home/data" || return 1
  printf '%s' "$pid"
}

# The socket of an Engine that somebody else runs.
others_socket() {
  local candidate
  for candidate in "${DOCKER_HOST:-}" unix:///var/run/docker.sock; do
    candidate=${candidate#unix://}
    if [ "$candidate" != "$socket" ] && [ -S "$candidate" ] && answers "$candidate"; then
      printf '%s' "$candidate"
      return
    fi
  done
  return 1
}

start() {
  local other deadline
  if other=$(others_socket); then
    echo "an Engine runs already"
    echo "DOCKER_HOST=unix://$other"
    return
  fi
  if ! our_pid >/dev/null; then
    [ "$(id -u)" = 0 ] || die "a Docker Engine must be started as root: sudo scripts/docker-engine.sh start"
    command -v dockerd >/dev/null || die "there is no dockerd: run scripts/setup.sh test"
    mkdir -p "$home"
    rm -f "$socket" "$pid_file"
    setsid dockerd -H "unix://$socket" --data-root "$home/data" --exec-root "$home/exec" -p "$pid_file" \
      --mtu 1400 --default-address-pool base=10.213.0.0/16,size=28 >"$home/dockerd.log" 2>&1 </dev/null &
    deadline=$((SECONDS + ready_within))
    until answers "$socket"; do
      if ! kill -0 $! 2>/dev/null || [ "$SECONDS" -ge "$deadline" ]; then
        kill $! 2>/dev/null || :
        tail -n 20 "$home/dockerd.log" >&2
        die "the Docker Engine did not start; its log is $home/dockerd.log"
      fi
      sleep 0.1
    done
  fi
  echo "DOCKER_HOST=unix://$socket"
}

stop() {
  local pid deadline
  pid=$(our_pid) || return 0
  kill "$pid"
  deadline=$((SECONDS + 30))
  while our_pid >/dev/null; do
    [ "$SECONDS" -lt "$deadline" ] || kill -KILL "$pid" 2>/dev/null || :
    sleep 0.1
  done
}

status() {
  local pid other
  if pid=$(our_pid) && answers "$socket"; then
    echo "running, pid $pid"
    echo "DOCKER_HOST=unix://$socket"
  elif other=$(others_socket); then
    echo "another Engine runs"
    echo "DOCKER_HOST=unix://$other"
  else
    echo "not running"
    return 1
  fi
}

case ${1:-} in
  start | stop | status) "$1" ;;
  *) die "usage: docker-engine.sh start | stop | status" ;;
esac
