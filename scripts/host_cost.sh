#!/usr/bin/env bash
# What a program asks of its go.mod, of downloads and of its binary once it
# imports instrumentation (measure with it): the figures of docs/integration.md.
#
#     bash scripts/host_cost.sh           # a program that imports nothing else
#     bash scripts/host_cost.sh --dwcp    # one with OpenTelemetry, gRPC, uuid and
#                                         # zstd in the versions that DWCP has
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
module=github.com/novacron/dwcp-telemetry
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# DWCP's (backend/core/go.mod of NovaCron, its go line included).
dwcp_requires='go 1.24.0
require (
	github.com/google/uuid v1.6.0
	github.com/klauspost/compress v1.18.1
	go.opentelemetry.io/otel v1.38.0
	go.opentelemetry.io/otel/exporters/jaeger v1.17.0
	go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp v1.38.0
	go.opentelemetry.io/otel/exporters/prometheus v0.60.0
	go.opentelemetry.io/otel/exporters/stdout/stdouttrace v1.38.0
	go.opentelemetry.io/otel/metric v1.38.0
	go.opentelemetry.io/otel/sdk v1.38.0
	go.opentelemetry.io/otel/sdk/metric v1.38.0
	go.opentelemetry.io/otel/trace v1.38.0
	google.golang.org/grpc v1.75.0
)'
dwcp_imports='
	_ "github.com/google/uuid"
	_ "github.com/klauspost/compress/zstd"
	_ "go.opentelemetry.io/otel/exporters/jaeger"
	_ "go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	_ "go.opentelemetry.io/otel/exporters/prometheus"
	_ "go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	_ "go.opentelemetry.io/otel/sdk/metric"
	_ "go.opentelemetry.io/otel/sdk/trace"
	_ "google.golang.org/grpc"'

requires='go 1.24.0' imports=''
if [[ ${1:-} == --dwcp ]]; then
    requires=$dwcp_requires imports=$dwcp_imports
fi

# host NAME makes a module; its program has the hook's calls where NAME is after.
host() {
    mkdir "$work/$1"
    cd "$work/$1"
    printf 'module host.example/dwcp\n\n%s\n' "$requires" >go.mod
    if [[ $1 == before ]]; then
        printf 'package main\n\nimport (\n\t"fmt"%s\n)\n\nfunc main() { fmt.Println() }\n' "$imports" >main.go
    else
        go mod edit -require "$module@v0.0.0" -replace "$module=$root"
        cat >main.go <<GO
package main

import (
	"context"
	"fmt"$imports

	"$module/decision"
	"$module/instrumentation"
	"$module/instrumentation/measure"
)

func main() {
	ctx := context.Background()
	priors, _ := measure.NewPriors(measure.PriorsOptions{})
	recorder, err := instrumentation.FromEnv(ctx, instrumentation.WithObserver(priors.Observe))
	d := decision.Decision{PayloadBytes: 1}
	measure.SampleBytes([]byte("payload")).Fill(&d)
	priors.Fill(&d)
	p := recorder.Begin(ctx, &d)
	p.ShouldShadow()
	p.Finish(instrumentation.Result{})
	fmt.Println(err, recorder.Shutdown(ctx))
}
GO
    fi
    go mod tidy >/dev/null 2>&1 || go mod tidy
    go build -trimpath -o program .
}

required() { grep -cE '^(require)?[[:space:]]+[^ ]+ v[0-9][^ ]*( // indirect)?$' "$work/$1/go.mod" || true; }
linked() { (cd "$work/$1" && go list -deps -f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}{{end}}{{end}}' . | sort -u); }
packages() { (cd "$work/$1" && go list -deps . | wc -l); }
# downloaded counts what a build needs that starts with an empty module cache.
downloaded() {
    (cd "$work/$1" && GOMODCACHE=$work/cache-$1 GOFLAGS=-modcacherw go build -o /dev/null . 2>/dev/null)
    find "$work/cache-$1/cache/download" -name '*.zip' 2>/dev/null | wc -l
}
bytes() { stat -c %s "$work/$1/program"; }

host before
host after
echo "go line of go.mod:  $(sed -n 's/^go //p' "$work/before/go.mod") before, $(sed -n 's/^go //p' "$work/after/go.mod") after"
echo "required modules:   $(required before) before, $(required after) after (the project itself included)"
echo "modules downloaded: $(downloaded before) before, $(downloaded after) after"
echo "modules linked in:  $(linked before | wc -l) before, $(linked after | wc -l) after"
echo "packages (-deps):   $(packages before) before, $(packages after) after"
echo "binary, bytes:      $(bytes before) before, $(bytes after) after"
echo "modules whose code is linked in:"
comm -13 <(linked before | cut -d' ' -f1) <(linked after | cut -d' ' -f1) | sed 's/^/    new    /'
join <(linked before) <(linked after) | awk '$2 != $3 { print "    raised " $1 " " $2 " -> " $3 }'
