#!/usr/bin/env bash
# Builds both images of deploy/container/Containerfile twice by buildah, without
# an engine and without a registry, and holds them to what they promise:
#
#     bash scripts/check_images.sh     (or make images-check)
#
# What is committed is built. As root, with buildah and busybox (Debian: buildah, busybox-static). The golang
# image is stood for by one made here of this machine's Go and a busybox.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
version=$(sh scripts/version.sh)
epoch=$(git log -1 --format=%ct)
config=/etc/otelcol-dwcp/otelcol-config.yaml
# Go's caches stay from run to run in $TMPDIR/buildah-cache*.
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot TMPDIR=$PWD/.dwcp/images
mkdir -p "$TMPDIR"
# What is committed, so that nothing changes between two builds.
git clone --quiet . "$work/source"
images=(buildah --root "$work/storage" --runroot "$work/run")
trap '"${images[@]}" rm --all >/dev/null 2>&1 || true; chmod -R u+w "$work"; rm -rf "$work"' EXIT

fail() {
    echo "$*" >&2
    exit 1
}

# go_image makes what stands for the golang image.
go_image() {
    local root=$work/go-image
    mkdir -p "$root"/{bin,tmp,root,usr/local,etc/ssl/certs,go}
    cp -a "$(go env GOROOT)" "$root/usr/local/go"
    cp "$(command -v busybox)" "$root/bin/busybox"
    chroot "$root" /bin/busybox --install -s /bin
    cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
    echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
    chmod 1777 "$root/tmp"
    local container
    container=$("${images[@]}" from scratch)
    "${images[@]}" add --quiet "$container" "$root" / >/dev/null
    "${images[@]}" config --env PATH=/usr/local/go/bin:/bin --env GOPATH=/go --env GOTOOLCHAIN=local "$container"
    "${images[@]}" commit --quiet --rm "$container" localhost/golang:check >/dev/null
    rm -rf "$root"
}

# build TARGET NAME builds one image; what it prints is shown only if it fails.
build() {
    "${images[@]}" build --quiet --layers=false --timestamp "$epoch" --file "$work/source/deploy/container/Containerfile" --target "$1" \
        --build-arg GO_IMAGE=localhost/golang:check --build-arg GOPROXY \
        --build-arg "DWCP_BUILD_VERSION=$version" --tag "localhost/$2" "$work/source" >"$work/build.log" 2>&1 || {
        cat "$work/build.log" >&2
        fail "$1 is not built"
    }
    "${images[@]}" push --quiet "localhost/$2" "oci:$work/$2"
}

# digest NAME is that of the whole image: layers and configuration.
digest() {
    python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["manifests"][0]["digest"])' "$work/$1/index.json"
}

# inspect NAME FIELD prints a field of the image's configuration.
inspect() {
    "${images[@]}" inspect --type image --format "{{$2}}" "localhost/$1"
}

# holds NAME LINE… wants exactly these files in the image, as mode, owner, path.
holds() {
    local name=$1 container folder
    shift
    container=$("${images[@]}" from "localhost/$name")
    folder=$("${images[@]}" mount "$container")
    diff <(printf '%s\n' "$@" | sort -k 3) <(cd "$folder" && find . -mindepth 1 -printf '%m %U:%G %P\n' | sort -k 3) ||
        fail "$name holds something else than it should (< wanted, > found)"
    "${images[@]}" rm "$container" >/dev/null
}

# runs NAME COMMAND… runs a command in a container, as the image's user, and ends as it did.
runs() {
    local name=$1 container code=0
    shift
    container=$("${images[@]}" from "localhost/$name")
    "${images[@]}" run --env DWCP_DATABASE_URL=postgres://collector@db/telemetry \
        --env DWCP_VM_ID_KEY=6b65796b65796b65796b65796b65796b65796b65796b65796b65796b65796b65 "$container" -- "$@" || code=$?
    "${images[@]}" rm "$container" >/dev/null
    return "$code"
}

go_image
for target in otelcol-dwcp dwcp-telemetry; do
    build "$target" "$target"
    build "$target" "$target-again"
    [[ $(digest "$target") == "$(digest "$target-again")" ]] || fail "$target: two builds give different images"
    [[ $(inspect "$target" .Docker.Config.User) == 10001:10001 ]] || fail "$target does not run as 10001:10001"
    runs "$target" "/usr/bin/$target" --version | grep -qF "$version" || fail "$target does not say its version, $version"
    if runs "$target" /bin/sh -c true 2>/dev/null; then
        fail "$target has a shell"
    fi
    echo "$target  $(digest "$target")  $(du -sh "$work/$target/blobs" | cut -f1)"
done

etc=('755 0:0 etc' '644 0:0 etc/group' '644 0:0 etc/passwd' '755 0:0 etc/ssl' '755 0:0 etc/ssl/certs'
    '644 0:0 etc/ssl/certs/ca-certificates.crt' '755 0:0 usr' '755 0:0 usr/bin')
overlays=()
for overlay in "$work"/source/deploy/*.yaml; do
    overlays+=("644 0:0 etc/otelcol-dwcp/deploy/${overlay##*/}")
done
holds otelcol-dwcp "${etc[@]}" "${overlays[@]}" '755 0:0 etc/otelcol-dwcp' '755 0:0 etc/otelcol-dwcp/deploy' "644 0:0 ${config#/}" \
    '755 0:0 usr/bin/otelcol-dwcp' '755 0:0 var' '755 0:0 var/lib' '700 10001:10001 var/lib/otelcol-dwcp'
holds dwcp-telemetry "${etc[@]}" '755 0:0 usr/bin/dwcp-telemetry' '700 10001:10001 data' '1777 0:0 tmp'

runs otelcol-dwcp /usr/bin/otelcol-dwcp validate --config "$config"
for overlay in ack-on-commit gateway; do
    runs otelcol-dwcp /usr/bin/otelcol-dwcp validate --config "$config" --config "/etc/otelcol-dwcp/deploy/$overlay.yaml"
done
runs dwcp-telemetry /usr/bin/dwcp-telemetry validate --print-config >/dev/null
echo "both build, twice to the same digest, hold what they should and nothing else, and run as 10001"
