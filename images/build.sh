#!/usr/bin/env bash
# Builds the desktops' images in the Docker Engine of DOCKER_HOST, each again only when its sources, or what it stands on, changed.
. "$(dirname "$0")/../scripts/lib.sh"

usage() {
  cat <<'WORDS'
Usage: images/build.sh [--from IMAGE] [NAME…]

Builds base, terminal, browser, office and dev, or those named and what they stand on. What base stands on is made on this machine from its
own apt sources, with no registry; --from takes an image of Debian 12 instead, such as debian:bookworm-slim.
PORTCULLIS_IMAGE_TAG is the tag they get (latest).
WORDS
}

tag=${PORTCULLIS_IMAGE_TAG:-latest}
from=portcullis/debian:bookworm
tarball=$cache/base-bookworm.tar
all=(base terminal browser office dev)
wanted=()
while [ $# -gt 0 ]; do
  case $1 in
    --from)
      from=${2:?--from needs an image}
      shift
      ;;
    -h | --help)
      usage
      exit
      ;;
    *)
      [[ " ${all[*]} " == *" $1 "* ]] || die "there is no image $1: ${all[*]}"
      wanted+=("$1")
      ;;
  esac
  shift
done
[ ${#wanted[@]} -gt 0 ] || wanted=("${all[@]}")

docker() { "$docker_client" "$@"; }
label_of() { docker image inspect --format '{{index .Config.Labels "portcullis.sources"}}' "$1" 2>/dev/null || :; }

make_debian() {
  # Root makes it without user namespaces; the file appears whole or not at all.
  as_root mmdebstrap --variant=minbase --format=tar --aptopt='Acquire::Languages "none"' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    bookworm "$tarball.part" /etc/apt/sources.list.d/debian.sources
  mv "$tarball.part" "$tarball"
}

debian() {
  [ "$from" = portcullis/debian:bookworm ] || return 0
  [ -f "$tarball" ] || step "Making the images' Debian (about a minute)" make_debian
  docker image inspect "$from" >/dev/null 2>&1 ||
    step "Importing the images' Debian" docker import --change 'CMD ["/bin/bash"]' "$tarball" "$from"
}

# What npm fetches for `dev` lies beside the checkout, and is sent along as part of the build's context.
dev_packages() {
  local place=$cache/images-dev lock
  lock=$(sha256sum "$root/images/dev/package-lock.json" | cut -c1-64)
  [ "$(cat "$place/lock" 2>/dev/null)" != "$lock" ] || return 0
  rm -rf "$place"
  mkdir -p "$place"
  cp "$root"/images/dev/package*.json "$place"
  step "Fetching the tools of the image dev by npm (about a minute)" \
    npm ci --prefix "$place" --ignore-scripts --no-audit --no-fund --loglevel=error
  printf '%s' "$lock" >"$place/lock"
}

# under NAME: the image that it stands on, and the build argument that says so.
under() {
  case $1 in
    base) echo "FROM $from" ;;
    dev) echo "BROWSER portcullis/browser:$tag" ;;
    *) echo "BASE portcullis/base:$tag" ;;
  esac
}

context() {
  tar -C "$root/images" -c desktop base terminal browser office dev/Dockerfile dev/services
  [ "$1" != dev ] || tar -C "$cache/images-dev" -c node_modules
}

build_image() {
  local name=$1 argument=$2 below=$3 sources=$4
  # Two archives in a row: one to whoever passes over the end of the first.
  context "$name" | tar -i -x -C "$5"
  DOCKER_BUILDKIT=1 "$docker_client" build --progress plain --build-arg "$argument=$below" \
    --label "portcullis.sources=$sources" --label "org.opencontainers.image.version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$root/Cargo.toml" | head -n 1)" \
    --tag "portcullis/$name:$tag" --file "$5/$name/Dockerfile" "$5"
}

image() {
  local name=$1 argument below sources stage
  read -r argument below <<<"$(under "$name")"
  case $name in
    base) debian ;;
    dev) dev_packages ;;
  esac
  sources=$(cd "$root/images" && {
    stamp_of "$name"
    [ "$name" != base ] || stamp_of desktop
    docker image inspect --format '{{.Id}}' "$below" 2>/dev/null || :
  } | sha256sum | cut -c1-64)
  [ "$(label_of "portcullis/$name:$tag")" != "$sources" ] || return 0
  stage=$(mktemp -d "$cache/context.XXXXXX")
  # shellcheck disable=SC2064 # the folder is wanted as it is now
  trap "rm -rf '$stage'" EXIT
  step "Building the image portcullis/$name:$tag (one to three minutes)" build_image "$name" "$argument" "$below" "$sources" "$stage"
  rm -rf "$stage"
}

mkdir -p "$cache"
done_already=" "
need() {
  case $1 in
    base) ;;
    dev) need browser ;;
    *) need base ;;
  esac
  [[ $done_already != *" $1 "* ]] || return 0
  image "$1"
  done_already+="$1 "
}
for name in "${wanted[@]}"; do need "$name"; done
