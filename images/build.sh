#!/usr/bin/env bash
# Builds the desktops' images in the Docker Engine of DOCKER_HOST: the base once, an image again only when its sources changed.
. "$(dirname "$0")/../scripts/lib.sh"

base=portcullis/base:bookworm
tarball=$cache/base-bookworm.tar

docker() { "$docker_client" "$@"; }
label_of() { docker image inspect --format '{{index .Config.Labels "portcullis.sources"}}' "$1" 2>/dev/null || :; }

make_base() {
  # Root makes a base without user namespaces; the file appears whole or not at all.
  as_root mmdebstrap --variant=minbase --format=tar --aptopt='Acquire::Languages "none"' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    bookworm "$tarball.part" /etc/apt/sources.list.d/debian.sources
  mv "$tarball.part" "$tarball"
}

mkdir -p "$cache"
[ -f "$tarball" ] || step "Making the images' base system (about a minute)" make_base
if ! docker image inspect "$base" >/dev/null 2>&1; then
  step "Importing the base system" docker import --change 'CMD ["/bin/bash"]' "$tarball" "$base"
fi

images=(terminal)
for folder in "${images[@]}"; do
  image=portcullis/$folder:latest
  sources=$(cd "$root/images" && stamp_of desktop "$folder")
  [ "$(label_of "$image")" != "$sources" ] || continue
  step "Building the image $image (about a minute)" \
    env DOCKER_BUILDKIT=1 "$docker_client" build --progress plain --label "portcullis.sources=$sources" \
    --tag "$image" --file "$root/images/$folder/Dockerfile" "$root/images"
done
