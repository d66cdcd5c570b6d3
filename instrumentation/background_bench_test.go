package instrumentation

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploggrpc"
	"go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"github.com/novacron/dwcp-telemetry/decision"
)

// The background's cost is CPU time, all threads of this process together: the
// server that receives is another process. ns/op is only how long this machine
// took for both.

// emittedDecision has all that DWCP can know: every field but label and quality.
func emittedDecision(tb testing.TB) decision.Decision {
	tb.Helper()
	full := fullDecision(tb)
	var d decision.Decision
	for i := range decision.Fields() {
		f := &decision.Fields()[i]
		if f.Role == decision.RoleLabel || f.Role == decision.RoleQuality {
			continue
		}
		v, _ := f.Value(&full)
		require.Nil(tb, f.Decode(v, &d))
	}
	d.EventID = decision.UUID{} // the Recorder makes it
	return d
}

const flushEvery = 4096

// perDecision calls record for each decision and flush now and then, and reports
// the CPU time of a decision.
func perDecision(b *testing.B, record func(), flush func(context.Context) error) {
	b.Helper()
	b.ReportAllocs()
	ctx := context.Background()
	before, n := cpuTime(b), 0
	for b.Loop() {
		record()
		if n++; n%flushEvery == 0 {
			require.NoError(b, flush(ctx))
		}
	}
	require.NoError(b, flush(ctx))
	b.ReportMetric(float64(cpuTime(b)-before)/float64(n)/float64(time.Microsecond), "cpu-µs/decision")
}

// All that becomes of a decision in DWCP's process: Record, event id, metrics,
// encoding, OTLP/gRPC.
func BenchmarkBackgroundPerDecision(b *testing.B) {
	address := startDiscarding(b)
	for name, opts := range map[string][]Option{"raw VM ids": nil, "pseudonyms": {WithVMIDKey("k1", vmKey)}} {
		b.Run(name, func(b *testing.B) {
			meters := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader()))
			r := startRecorder(b, address, append(opts, WithMeterProvider(meters))...)
			ctx, d := context.Background(), emittedDecision(b)
			d.VMKeyID = decision.Opt[string]{}
			perDecision(b, func() { r.Record(ctx, &d) }, r.ForceFlush)
			s := r.Stats()
			require.Zero(b, s.Dropped)
			require.Equal(b, s.Recorded, s.Sent)
		})
	}
}

// counting counts what an exporter has got rid of.
type counting struct {
	sdklog.Exporter
	sent int
}

func (c *counting) Export(ctx context.Context, records []sdklog.Record) error {
	err := c.Exporter.Export(ctx, records)
	if err == nil {
		c.sent += len(records)
	}
	return err
}

// The stock way: the SDK's LoggerProvider, BatchProcessor and OTLP exporter, for
// the same attributes to the same server, without the Recorder's metrics.
func BenchmarkStockSDK(b *testing.B) {
	ctx := context.Background()
	exporter, err := otlploggrpc.New(ctx, otlploggrpc.WithEndpoint(startDiscarding(b)), otlploggrpc.WithInsecure())
	require.NoError(b, err)
	counted := &counting{Exporter: exporter}
	provider := sdklog.NewLoggerProvider(sdklog.WithProcessor(sdklog.NewBatchProcessor(counted, sdklog.WithMaxQueueSize(2*flushEvery))))
	defer func() { require.NoError(b, provider.Shutdown(ctx)) }()
	logger := provider.Logger(scopeName)
	d := emittedDecision(b)
	d.EventID = decision.UUID{1}
	n := 0
	perDecision(b, func() {
		n++
		var record log.Record
		record.SetEventName(decision.EventName)
		record.SetTimestamp(d.Timestamp)
		record.SetSeverity(log.SeverityInfo)
		record.AddAttributes(appendAttributes(nil, &d)...)
		logger.Emit(ctx, record)
	}, provider.ForceFlush)
	require.Equal(b, n, counted.sent)
}
