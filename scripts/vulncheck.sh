#!/usr/bin/env bash
# Looks for known vulnerabilities in what our code calls, and in what the built
# collector holds (make vulncheck). Exits 3 if there is one.
#
# The database is golang.org/x/vulndb: that of govulncheck's own server, as a Go
# module, so that it can be had wherever modules can.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${GOVULNCHECK:?its package and version; make vulncheck sets them}"

database=$(cd / && go mod download -json golang.org/x/vulndb@latest | python3 -c 'import json, sys; print(json.load(sys.stdin)["Dir"])')
echo "database: ${database##*/}, $(find "$database/data/osv" -name '*.json' | wc -l) reports; $(go version | cut -d' ' -f3)"
env dist.version="$(sh scripts/version.sh)" go tool builder --config builder-config.yaml --skip-compilation 2>/dev/null
for module in . build; do
    echo "== $module"
    (cd "$module" && go run "$GOVULNCHECK" -db "file://$database/data/osv" ./...)
done
