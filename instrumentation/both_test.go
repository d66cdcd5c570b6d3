package instrumentation

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploggrpc"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/trace"

	"github.com/novacron/dwcp-telemetry/decision"
)

// received is a request with what may differ made equal: the id of the Recorder
// and the time at which the record was observed.
func received(tb testing.TB, c *collector) plog.Logs {
	tb.Helper()
	require.Len(tb, c.logs(), 1)
	logs := c.logs()[0]
	for _, resourceLogs := range logs.ResourceLogs().All() {
		for _, scopeLogs := range resourceLogs.ScopeLogs().All() {
			for _, record := range scopeLogs.LogRecords().All() {
				require.NotZero(tb, record.ObservedTimestamp())
				record.SetObservedTimestamp(0)
				record.Attributes().PutStr("dwcp.recorder.id", "of this test")
			}
		}
	}
	return logs
}

// The Recorder's own sender, and the SDK's LoggerProvider with its OTLP exporter,
// put the same events on the wire: every field of every level is compared as the
// server has received it.
func TestBothWaysPutTheSameEventsOnTheWire(t *testing.T) {
	t.Parallel()
	res := resource.NewWithAttributes("https://opentelemetry.io/schemas/1.37.0",
		attribute.String("deployment.environment.name", "staging"), attribute.String("service.name", "dwcp"), attribute.String("service.version", "2.1"))
	span := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled})
	record := func(r *Recorder) {
		full := fullDecision(t)
		full.Environment, full.EmitterVersion = decision.Opt[string]{}, decision.Opt[string]{} // the resource's, with a LoggerProvider
		some := someDecision("r")
		some.EventID = full.EventID
		r.Record(trace.ContextWithSpanContext(context.Background(), span), &full)
		r.Record(context.Background(), &some)
		p := r.Begin(context.Background(), &some)
		p.HDE(hdeRun)
		p.Finish(Result{Outcome: decision.Fallback})
		require.NoError(t, r.Shutdown(within(t)))
	}

	own, stock := startCollector(t, nil), startCollector(t, nil)
	sc := testSenderConfig(own.address)
	sc.resource = res
	r, err := newSendingRecorder(testConfig(WithVMIDKey("k1", vmKey)), sc)
	require.NoError(t, err)
	record(r)

	exporter, err := otlploggrpc.New(context.Background(), otlploggrpc.WithEndpoint(stock.address), otlploggrpc.WithInsecure())
	require.NoError(t, err)
	provider := sdklog.NewLoggerProvider(sdklog.WithResource(res), sdklog.WithProcessor(sdklog.NewBatchProcessor(exporter)))
	r, err = New(WithLoggerProvider(provider), WithVMIDKey("k1", vmKey), WithMeterProvider(testConfig().meterProvider))
	require.NoError(t, err)
	record(r)
	require.NoError(t, provider.Shutdown(within(t)))

	want, got := received(t, stock), received(t, own)
	require.Equal(t, 3, want.LogRecordCount())
	var marshaler plog.JSONMarshaler
	wantJSON, err := marshaler.MarshalLogs(want)
	require.NoError(t, err)
	gotJSON, err := marshaler.MarshalLogs(got)
	require.NoError(t, err)
	require.JSONEq(t, string(wantJSON), string(gotJSON))
}
