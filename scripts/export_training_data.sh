#!/bin/sh
# Makes data/dwcp_training_<today>/ with dwcp_training.csv in the project;
# further arguments go to `dwcp-telemetry export`: --force where today's is
# there already.
set -eu
cd "$(dirname "$0")/.."
exec go run ./cmd/dwcp-telemetry export --out "data/dwcp_training_$(date +%Y%m%d)" "$@"
