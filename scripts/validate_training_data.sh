#!/bin/sh
# Checks a training set, a CSV or its folder; paths are relative to the project.
set -eu
cd "$(dirname "$0")/.."
exec go run ./cmd/dwcp-telemetry validate "$@"
