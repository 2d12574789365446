#!/bin/sh
# The first program of a desktop, in a jail or a container: the screen, the window manager, the desktop's programs.
# It ends when Xvnc ends, with Xvnc's status, and with it everything else in there.
# In: WIDTHxHEIGHT; HOME and XDG_RUNTIME_DIR, which it makes; programs.sh beside it; /run/rfb, where the socket goes.
# What it says goes to its standard error; lines of its own begin with "portcullis: ".
set -u
exec >&2
here=$(dirname "$0")
# shellcheck disable=SC3045 # dash has both
ulimit -c 0 && ulimit -n 4096
umask 077
mkdir -m 0700 "$HOME" "$XDG_RUNTIME_DIR" && cd "$HOME" || exit 70
cp "$here/Xdefaults" .Xdefaults
# Files that the gate carries come and go here; what is mounted there nobody can move.
[ ! -d /home/transfer ] || ln -s /home/transfer Transfer

# Clipboard: -SendPrimary=0, or merely marking text would send it; and nothing inside may turn these back on (-AllowOverride=).
# -MaxCutText: the gate lets at most 1 MiB cross, of which every line feed may be two bytes here; it is the one that counts.
mkfifo /tmp/display
Xvnc -displayfd 3 -rfbport -1 -rfbunixpath /run/rfb/rfb.sock -rfbunixmode 0600 \
  -SecurityTypes None -UseBlacklist=0 -AlwaysShared -AllowOverride= -SendPrimary=0 -MaxCutText=4194304 -AcceptSetDesktopSize=1 \
  -desktop portcullis -geometry "$1" -depth 24 -dpi 96 -FrameRate 60 -CompareFB=1 -ZlibLevel=0 \
  -nolisten tcp -nolisten local -noreset -br -s 0 -Log '*:stderr:10' 3>/tmp/display &
xvnc=$!
if read -r number </tmp/display; then
  rm /tmp/display
  export DISPLAY=":$number"
  xsetroot -solid '#3b4048' -cursor_name left_ptr
  (
    openbox --config-file "$here/openbox.xml" --startup "sh $here/programs.sh" </dev/null
    echo "portcullis: the window manager ended with status $?"
  ) &
fi
wait "$xvnc"
