#!/usr/bin/env bash
# Installs what Portcullis needs on Debian 12: `setup.sh` for building and running, `setup.sh test` for the tests too.
# Does nothing, and needs no root, when nothing is missing.
. "$(dirname "$0")/lib.sh"

packages=(
  # to build: FFmpeg's and libjpeg-turbo's headers, and what their bindings are made with
  build-essential pkg-config cmake nasm clang libclang-dev
  libavcodec-dev libavformat-dev libavutil-dev libswscale-dev libswresample-dev
  # the desktops of the process runtime
  tigervnc-standalone-server openbox x11-xserver-utils xterm chromium fonts-dejavu-core bubblewrap socat
)
test_packages=(
  # the reader of what was on screens; a gate needs it only where policy asks for that
  tesseract-ocr
  # a Docker Engine of our own, and a base image without a registry
  docker.io iptables mmdebstrap curl
  # peers and instruments: what ffprobe, the X clipboard and the picture say
  ffmpeg websockify xclip xdotool xinput imagemagick procps shellcheck openssl
  # desktops that no gate starts
  x11vnc xvfb qemu-system-x86
  # a real S3 server
  radosgw ceph-mon ceph-osd ceph-mgr ceph-common
  # the portal's other database
  postgresql
  # a syslog daemon, by TCP and TLS
  rsyslog rsyslog-gnutls
  # a scanner of files, with signatures of our own
  clamav-daemon
  # clocks that tests set, repositories that they make, what hosts them, a receiver of webhooks, and the second verifier of evidence
  libfaketime git openssh-client openssh-server python3 python3-cryptography python3-jsonschema age
)

missing_of() {
  local installed package
  installed=$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' "$@" 2>/dev/null || :)
  for package; do
    grep -qx "$package installed" <<<"$installed" || printf '%s\n' "$package"
  done
}

install_packages() {
  as_root apt-get -o DPkg::Lock::Timeout=600 update
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 install -y --no-install-recommends "$@"
}

[ "${1:-}" != test ] || packages+=("${test_packages[@]}")
command -v dpkg-query >/dev/null || die "this machine has no dpkg: install by hand what scripts/setup.sh names, then use --no-setup"
mapfile -t missing < <(missing_of "${packages[@]}")
if [ "${#missing[@]}" -gt 0 ]; then
  [ "$(id -u)" = 0 ] || command -v sudo >/dev/null || die "packages are missing and there is neither root nor sudo.
As root, run: apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
  [ "$(id -u)" = 0 ] || sudo -v || die "sudo was refused"
  step "Installing ${#missing[@]} packages (1 to 3 minutes): ${missing[*]}" install_packages "${missing[@]}"
fi

command -v cargo >/dev/null || die "there is no cargo: install Rust by rustup (rust-toolchain.toml pins the version)"
command -v npm >/dev/null || die "there is no npm: install Node.js 20.19 or later"
node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)' ||
  die "Node.js $(node --version) is too old for the pages: 20.19 or later is needed"
