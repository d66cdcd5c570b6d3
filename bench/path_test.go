package main

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/novacron/dwcp-telemetry/processor/oraclelabel"
)

// BenchmarkReceiveAndLabel is what a decision costs the collector before it
// gets to the exporter, gRPC apart.
func BenchmarkReceiveAndLabel(b *testing.B) {
	s, err := newSource()
	require.NoError(b, err)
	p, err := newPayload(s.fork(), requestRecords)
	require.NoError(b, err)
	factory := oraclelabel.NewFactory()
	config := factory.CreateDefaultConfig()
	require.NoError(b, confmap.NewFromStringMap(map[string]any{"keys": []any{map[string]any{"id": "k1", "key": benchKey}}}).Unmarshal(config))
	label, err := factory.CreateLogs(b.Context(), processortest.NewNopSettings(factory.Type()), config, consumertest.NewNop())
	require.NoError(b, err)
	for _, stage := range []string{"unmarshal", "unmarshal and label"} {
		b.Run(stage, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				request := plogotlp.NewExportRequest()
				if err := request.UnmarshalProto(p.bytes); err != nil {
					b.Fatal(err)
				}
				if stage != "unmarshal" {
					if err := label.ConsumeLogs(context.Background(), request.Logs()); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*requestRecords), "ns/decision")
		})
	}
}
