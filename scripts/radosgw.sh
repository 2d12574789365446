#!/usr/bin/env bash
# A real S3 server for the tests, Ceph's radosgw over one node in memory: `radosgw.sh start | stop | status`.
# `start` starts nothing where ours answers already; its last lines say where it listens, in clear and with TLS, and whom it knows.
. "$(dirname "$0")/lib.sh"

home=${PORTCULLIS_RADOSGW:-$cache/radosgw}
port=${PORTCULLIS_RADOSGW_PORT:-7480}
tls_port=$((port + 3)) monitor_port=$((port + 1)) old_monitor_port=$((port + 2))
ready_within=60
daemons=(rgw mgr osd mon)
log=$home/start.log

answers() { curl -s -m 2 -o /dev/null "http://127.0.0.1:$port/"; }

# The pid of one of our daemons; fails when it does not run. A number alone may be another's by now: the command line tells.
pid_of() {
  local pid
  pid=$(cat "$home/$1.pid" 2>/dev/null) && [ -n "$pid" ] || return 1
  { tr '\0' ' ' <"/proc/$pid/cmdline"; } 2>/dev/null | grep -q -- "$home/ceph.conf" || return 1
  printf '%s' "$pid"
}

say_where() {
  printf '%s\n' "S3_ENDPOINT=http://127.0.0.1:$port" "S3_TLS_ENDPOINT=https://localhost:$tls_port" "S3_CA=$home/tls/ca.pem" \
    "S3_KEY=portcullis" "S3_SECRET=portcullis-secret"
}

configuration() {
  cat <<WORDS
[global]
fsid = $(cat /proc/sys/kernel/random/uuid)
mon host = [v2:127.0.0.1:$monitor_port,v1:127.0.0.1:$old_monitor_port]
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind ipv6 = false
auth cluster required = none
auth service required = none
auth client required = none
# Without authentication there is no secure mode.
ms mon client mode = crc
run dir = $home
admin socket = $home/\$name.asok
log file = $home/log/\$name.log
keyring = $home/keyring
mon data = $home/mon
osd data = $home/osd
mgr data = $home/mgr
# One node that keeps everything in memory, once.
mon allow pool size one = true
mon data avail crit = 1
mon max pg per osd = 2000
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pgp num = 8
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
osd crush update on start = false
osd class update on start = false
osd objectstore = memstore
memstore device bytes = 4G
[client.rgw.a]
rgw data = $home/rgw
rgw crypt require ssl = false
rgw frontends = beast endpoint=127.0.0.1:$port ssl_endpoint=127.0.0.1:$tls_port ssl_certificate=$home/tls/rgw.pem ssl_private_key=$home/tls/rgw.key
WORDS
}

# An authority of its own, and a certificate for localhost.
certificates() {
  openssl req -batch -x509 -newkey rsa:2048 -nodes -days 30 -keyout ca.key -out ca.pem -subj "/CN=radosgw of the tests"
  openssl req -batch -newkey rsa:2048 -nodes -keyout rgw.key -out rgw.csr -subj "/CN=localhost"
  printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n' >extensions
  openssl x509 -req -in rgw.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -extfile extensions -out rgw.pem
}

bring_up() {
  local ceph=(-c "$home/ceph.conf") id who
  (cd "$home/tls" && certificates)
  ceph-authtool --create-keyring "$home/keyring" --gen-key -n mon. --cap mon 'allow *'
  for who in client.admin client.rgw.a mgr.a osd.0; do
    ceph-authtool "$home/keyring" --gen-key -n "$who" --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *'
  done
  id=$(sed -n 's/^fsid = //p' "$home/ceph.conf")
  monmaptool --create --fsid "$id" --addv a "[v2:127.0.0.1:$monitor_port,v1:127.0.0.1:$old_monitor_port]" "$home/monmap"
  ceph-mon --mkfs -i a --monmap "$home/monmap" --keyring "$home/keyring" "${ceph[@]}"
  ceph-mon -i a "${ceph[@]}" --pid-file "$home/mon.pid"
  id=$(cat /proc/sys/kernel/random/uuid)
  ceph "${ceph[@]}" osd new "$id"
  ceph-osd -i 0 --mkfs --osd-uuid "$id" "${ceph[@]}"
  ceph-osd -i 0 "${ceph[@]}" --pid-file "$home/osd.pid"
  ceph "${ceph[@]}" osd crush add osd.0 1.0 root=default host=localhost
  ceph-mgr -i a "${ceph[@]}" --pid-file "$home/mgr.pid"
  radosgw "${ceph[@]}" -n client.rgw.a --pid-file "$home/rgw.pid"
  until answers; do sleep 0.1; done
  radosgw-admin "${ceph[@]}" user create --uid tests --display-name tests --access-key portcullis --secret-key portcullis-secret
}

start() {
  mkdir -p "$(dirname "$home")"
  # Tests that begin at once all call this: one starts it, the others find it running.
  exec 9>"$home.lock"
  flock 9
  if ! { pid_of rgw >/dev/null && answers; }; then
    command -v radosgw >/dev/null || die "there is no radosgw: run scripts/setup.sh test"
    stop
    ! answers || die "another program listens on port $port: choose one with PORTCULLIS_RADOSGW_PORT"
    rm -rf "$home"
    mkdir -p "$home"/{mon,osd,mgr,rgw,log,tls}
    configuration >"$home/ceph.conf"
    export home port tls_port monitor_port old_monitor_port
    export -f bring_up certificates answers
    # The daemons do not inherit the lock: it would be held as long as they run.
    if ! timeout "$ready_within" bash -euo pipefail -c bring_up >"$log" 2>&1 </dev/null 9>&-; then
      tail -n 20 "$log" >&2
      stop
      die "radosgw did not start; its logs are in $home/log"
    fi
  fi
  say_where
}

stop() {
  local pid deadline daemon
  for daemon in "${daemons[@]}"; do
    pid=$(pid_of "$daemon") || continue
    kill "$pid" 2>/dev/null || :
    deadline=$((SECONDS + 10))
    while pid_of "$daemon" >/dev/null; do
      [ "$SECONDS" -lt "$deadline" ] || kill -KILL "$pid" 2>/dev/null || :
      sleep 0.1
    done
  done
}

status() {
  if pid_of rgw >/dev/null && answers; then
    say_where
  else
    echo "not running"
    return 1
  fi
}

case ${1:-} in
  start | stop | status) "$1" ;;
  *) die "usage: radosgw.sh start | stop | status" ;;
esac
