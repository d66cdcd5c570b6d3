package instrumentation

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/metric/noop"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/trace"

	"github.com/novacron/dwcp-telemetry/decision"
)

// memory is a log processor that keeps records.
type memory struct {
	mu      sync.Mutex
	records []sdklog.Record
	onEmit  func()
}

func (m *memory) OnEmit(_ context.Context, r *sdklog.Record) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.onEmit != nil {
		m.onEmit()
	}
	m.records = append(m.records, r.Clone())
	return nil
}
func (*memory) Enabled(context.Context, sdklog.EnabledParameters) bool { return true }
func (*memory) Shutdown(context.Context) error                         { return nil }
func (*memory) ForceFlush(context.Context) error                       { return nil }

func providerRecorder(tb testing.TB, m *memory, opts ...Option) *Recorder {
	tb.Helper()
	provider := sdklog.NewLoggerProvider(sdklog.WithProcessor(m))
	r, err := New(append([]Option{WithLoggerProvider(provider), WithMeterProvider(noop.NewMeterProvider())}, opts...)...)
	require.NoError(tb, err)
	tb.Cleanup(func() { giveUp(r) })
	return r
}

// Both ways of delivery put the same event on the wire.
func TestLoggerProviderGetsWhatTheOwnSenderSends(t *testing.T) {
	t.Parallel()
	d := fullDecision(t)
	span := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled})
	ctx := trace.ContextWithSpanContext(context.Background(), span)

	c := startCollector(t, nil)
	direct := startRecorder(t, c.address)
	direct.Record(ctx, &d)
	require.NoError(t, direct.ForceFlush(within(t)))
	m := &memory{}
	handed := providerRecorder(t, m)
	handed.Record(ctx, &d)
	require.NoError(t, handed.Shutdown(within(t)))
	require.Equal(t, Stats{Recorded: 1, Sent: 1}, handed.Stats())

	sent, emitted := firstRecord(c.logs()[0]), &m.records[0]
	assert.Equal(t, sent.EventName(), emitted.EventName())
	assert.EqualValues(t, sent.SeverityNumber(), emitted.Severity())
	assert.Equal(t, sent.SeverityText(), emitted.SeverityText())
	assert.Equal(t, sent.Timestamp().AsTime(), emitted.Timestamp())
	assert.EqualValues(t, sent.TraceID(), emitted.TraceID())
	assert.EqualValues(t, sent.SpanID(), emitted.SpanID())
	assert.EqualValues(t, sent.Flags(), emitted.TraceFlags())
	assert.Equal(t, attribute.Value{}, emitted.Body())

	want, got := keyValues(sent.Attributes()), []attribute.KeyValue(nil)
	emitted.WalkAttributes(func(kv attribute.KeyValue) bool { got = append(got, kv); return true })
	recorderID := attribute.String("dwcp.recorder.id", direct.ID().String())
	for i := range got {
		if got[i].Key == recorderID.Key {
			assert.Equal(t, handed.ID().String(), got[i].Value.AsString())
			got[i] = recorderID
		}
	}
	assert.Zero(t, emitted.DroppedAttributes())
	require.Equal(t, want, got, "same attributes, same types, same order")
}

// keyValues translates pdata's attributes by themselves, not by the list.
func keyValues(attributes pcommon.Map) (all []attribute.KeyValue) {
	for key, v := range attributes.All() {
		kv := attribute.KeyValue{Key: attribute.Key(key)}
		switch v.Type() {
		case pcommon.ValueTypeStr:
			kv.Value = attribute.StringValue(v.Str())
		case pcommon.ValueTypeInt:
			kv.Value = attribute.Int64Value(v.Int())
		case pcommon.ValueTypeDouble:
			kv.Value = attribute.Float64Value(v.Double())
		case pcommon.ValueTypeBool:
			kv.Value = attribute.BoolValue(v.Bool())
		case pcommon.ValueTypeSlice:
			var names []string
			for _, name := range v.Slice().All() {
				names = append(names, name.Str())
			}
			kv.Value = attribute.StringSliceValue(names)
		}
		all = append(all, kv)
	}
	return all
}

func TestProviderThatPanicsLosesOnlyThatDecision(t *testing.T) {
	t.Parallel()
	calls := 0
	m := &memory{onEmit: func() {
		if calls++; calls == 2 {
			panic("out of order")
		}
	}}
	told := &troubles{}
	r := providerRecorder(t, m, WithErrorHandler(told))
	recordSome(r, 3)
	require.NoError(t, r.Shutdown(within(t)))
	require.Equal(t, Stats{Recorded: 3, Sent: 2, Refused: 1, Panics: 1}, r.Stats())
	require.Equal(t, "emit a decision: panic: out of order", told.text())
}

func TestTextThatIsNoUTF8CannotSpoilABatch(t *testing.T) {
	t.Parallel()
	m := &memory{}
	r := providerRecorder(t, m)
	d := someDecision("a\xffb")
	r.Record(context.Background(), &d)
	require.NoError(t, r.Shutdown(within(t)))
	m.records[0].WalkAttributes(func(kv attribute.KeyValue) bool {
		if kv.Key == "dwcp.request.id" {
			require.Equal(t, "a\uFFFDb", kv.Value.AsString())
		}
		return true
	})
	require.Equal(t, decision.EventName, m.records[0].EventName())
	require.Equal(t, log.SeverityInfo, m.records[0].Severity())
}

func sdkLogger(m *memory) log.Logger {
	return sdklog.NewLoggerProvider(sdklog.WithProcessor(m)).Logger(scopeName)
}
