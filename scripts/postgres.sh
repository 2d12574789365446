#!/usr/bin/env bash
# A real PostgreSQL for the tests, in a folder of its own, on a socket and on loopback: `postgres.sh start | stop | status`.
# `start` starts nothing where ours answers already; its last line says where it is. What is in it is lost when it stops.
. "$(dirname "$0")/lib.sh"

port=${PORTCULLIS_POSTGRES_PORT:-7490}
# Not below the cache: as root the server runs as the user postgres, who cannot come by there.
home=${PORTCULLIS_POSTGRES:-/var/tmp/portcullis-postgres-$(id -u)-$port}
sockets=$home/socket
log=$home/start.log
ready_within=30

# The server's programs are not in PATH on Debian.
programs() {
  local found
  found=$(find /usr/lib/postgresql -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1)
  if [ -n "$found" ]; then printf '%s' "$found"; else dirname "$(command -v initdb 2>/dev/null || die "there is no PostgreSQL: run scripts/setup.sh test")"; fi
}

# It refuses to run as root.
unprivileged() {
  if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi
}

# The pid of our server; fails when it does not run. A number alone may be another's by now: the command line tells.
pid_of() {
  local pid
  pid=$(head -n 1 "$home/data/postmaster.pid" 2>/dev/null) && [ -n "$pid" ] || return 1
  { tr '\0' ' ' <"/proc/$pid/cmdline"; } 2>/dev/null | grep -q -- "$home/data" || return 1
  printf '%s' "$pid"
}

answers() { "$(programs)/pg_isready" -q -h "$sockets" -p "$port"; }

say_where() { printf 'POSTGRES_URL=postgres://portcullis@localhost:%s/portcullis?host=%s\n' "$port" "$sockets"; }

bring_up() {
  local bin
  bin=$(programs)
  unprivileged "$bin/initdb" -D "$home/data" -U portcullis -A trust -E UTF8 --no-locale -N
  # Nothing in it has to outlive the machine.
  unprivileged "$bin/pg_ctl" -D "$home/data" -w -l "$home/server.log" -o "-c listen_addresses=127.0.0.1 -p $port -k $sockets \
    -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c shared_buffers=${PORTCULLIS_POSTGRES_MEMORY:-128MB} -c max_connections=400 \
    -c max_wal_size=1GB ${PORTCULLIS_POSTGRES_OPTIONS:-}" start
  unprivileged "$bin/createdb" -h "$sockets" -p "$port" -U portcullis portcullis
}

start() {
  mkdir -p "$(dirname "$home")"
  # Tests that begin at once all call this: one starts it, the others find it running.
  exec 9>"$home.lock"
  flock 9
  if ! { pid_of >/dev/null && answers; }; then
    stop
    rm -rf "$home"
    mkdir -p "$sockets"
    chmod 700 "$home" "$sockets"
    if [ "$(id -u)" = 0 ]; then
      chown postgres "$home" "$sockets"
      # Who is not root must be able to come by.
      unprivileged test -x "$home" || die "the user postgres cannot reach $home: choose another folder with PORTCULLIS_POSTGRES"
    fi
    # The server does not inherit the lock: it would be held as long as it runs.
    if ! (bring_up) >"$log" 2>&1 </dev/null 9>&-; then
      tail -n 20 "$log" "$home/server.log" >&2 || :
      stop
      die "PostgreSQL did not start; its logs are in $home"
    fi
  fi
  say_where
}

stop() {
  local pid deadline
  pid=$(pid_of) || return 0
  # "Fast": sessions are ended, nothing is waited for.
  kill -INT "$pid" 2>/dev/null || :
  deadline=$((SECONDS + ready_within))
  while pid_of >/dev/null; do
    [ "$SECONDS" -lt "$deadline" ] || kill -QUIT "$pid" 2>/dev/null || :
    sleep 0.1
  done
  rm -rf "$home/data"
}

status() {
  if pid_of >/dev/null && answers; then
    say_where
  else
    echo "not running"
    return 1
  fi
}

case ${1:-} in
  start | stop | status) "$1" ;;
  *) die "usage: postgres.sh start | stop | status" ;;
esac
