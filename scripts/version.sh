#!/bin/sh
# Prints the version of this clone, which both programs carry: 1.2.3 at the tag
# v1.2.3, 1.2.3-4-gabcdef0 four commits after it, 0.0.0-gabcdef0 where no tag is,
# with -dirty where something is not committed. DWCP_BUILD_VERSION comes first,
# for builds without git, as in a container.
set -eu
cd "$(dirname "$0")/.."
if [ -n "${DWCP_BUILD_VERSION:-}" ]; then
    version=$DWCP_BUILD_VERSION
elif ! version=$(git describe --tags --match 'v[0-9]*' --dirty 2>/dev/null) &&
    ! version=v0.0.0-g$(git describe --always --exclude '*' --dirty 2>/dev/null); then
    version=v0.0.0-devel
fi
echo "${version#v}"
