# shellcheck shell=sh
# What this desktop starts once its window manager is there.
(
  xterm </dev/null >/dev/null 2>&1
  echo "portcullis: xterm ended with status $?" >&2
) &
