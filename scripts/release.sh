#!/usr/bin/env bash
# Builds a release of the commit that is checked out, into dist/:
#
#     bash scripts/release.sh [OS/ARCH…]     (or make release)
#
#   dwcp-telemetry_VERSION_OS_ARCH.tar.gz    both programs, configuration, deploy/, licences
#   PROGRAM_VERSION_OS_ARCH.cdx.json         what is in each program (CycloneDX SBOM, with licences)
#   SHA256SUMS
#
# What is not committed is not in it. The same commit gives the same bytes on any
# Linux: a clean clone, the toolchain that go.mod names, no paths, the commit's time.
# DWCP_RELEASE_TOOLCHAIN=local takes the Go that is there instead.
set -euo pipefail
cd "$(dirname "$0")/.."
project=$PWD
sbom=$project/${CYCLONEDX_GOMOD:?the path of cyclonedx-gomod; make release sets it}
platforms=("$@")
if ((${#platforms[@]} == 0)); then
    platforms=(linux/amd64 linux/arm64 darwin/arm64)
fi

toolchain=$(go list -m -f '{{.GoVersion}}')
if named=$(awk '$1 == "toolchain" { print $2 }' go.mod) && [[ -n $named ]]; then
    toolchain=$named
fi
export GOTOOLCHAIN=${DWCP_RELEASE_TOOLCHAIN:-$toolchain}
export CGO_ENABLED=0 GOWORK=off GOFLAGS=-buildvcs=false
umask 022

work=$(mktemp -d)
trap 'chmod -R u+w "$work" && rm -rf "$work"' EXIT
git clone --quiet . "$work/source"
cd "$work/source"
version=$(DWCP_BUILD_VERSION='' sh scripts/version.sh)
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
echo "dwcp-telemetry $version, $(go version | cut -d' ' -f3)"
env "dist.version=$version" go tool builder --config builder-config.yaml --skip-compilation 2>"$work/builder.log" || {
    cat "$work/builder.log" >&2
    exit 1
}

# describe PROGRAM FOLDER MAIN writes an SBOM of a program for $GOOS/$GOARCH.
describe() {
    "$sbom" app -json -licenses -std -noserial -notimestamp -main "$3" -output "$out/$1_${version}_$platform.cdx.json" "$2" 2>"$work/sbom.log" || {
        cat "$work/sbom.log" >&2
        exit 1
    }
    # The collector's module knows ours by its folder; what is in that is no fact of the release.
    python3 - "$out/$1_${version}_$platform.cdx.json" "$version" <<'PYTHON'
import json, sys
path, version = sys.argv[1:]
with open(path, encoding="utf-8") as file:
    text = file.read()
for component in (bom := json.loads(text))["components"]:
    if component["name"] == "..":
        component.update(name="github.com/novacron/dwcp-telemetry", version="v" + version)
        component.pop("hashes", None)
with open(path, "w", encoding="utf-8") as file:
    json.dump(bom, file, indent=2)
PYTHON
}

out=$project/dist
rm -rf "$out"
mkdir -p "$out"
for target in "${platforms[@]}"; do
    export GOOS=${target%/*} GOARCH=${target#*/}
    platform=${GOOS}_$GOARCH
    name=dwcp-telemetry_${version}_$platform
    folder=$work/$name
    mkdir -p "$folder/bin"
    go build -trimpath -ldflags "-s -w -X github.com/novacron/dwcp-telemetry/internal/version.linked=$version" \
        -o "$folder/bin/dwcp-telemetry" ./cmd/dwcp-telemetry
    (cd build && go build -trimpath -ldflags '-s -w' -o "$folder/bin/otelcol-dwcp" .)
    describe dwcp-telemetry . cmd/dwcp-telemetry
    describe otelcol-dwcp build .
    python3 scripts/third_party.py "$out"/*"_${version}_$platform.cdx.json" >"$folder/THIRD-PARTY-LICENCES"
    cp -R README.md CHANGELOG.md LICENSE NOTICE otelcol-config.yaml deploy docs "$folder"
    tar --create --sort=name --format=posix --pax-option=delete=atime,delete=ctime --mtime="@$SOURCE_DATE_EPOCH" \
        --owner=0 --group=0 --numeric-owner --mode=go-w --directory "$work" "$name" | gzip --no-name --best >"$out/$name.tar.gz"
    echo "  $name.tar.gz  $(du -h "$out/$name.tar.gz" | cut -f1)"
done
cd "$out"
sha256sum -- * >"$work/SHA256SUMS"
mv "$work/SHA256SUMS" .
