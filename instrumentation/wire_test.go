package instrumentation

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/trace"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/internal/decisionlog"
)

// attributesOf returns the attributes of the first record.
func attributesOf(logs plog.Logs) map[string]any { return firstRecord(logs).Attributes().AsRaw() }

func firstRecord(logs plog.Logs) plog.LogRecord {
	return logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
}

func TestEveryFieldArrives(t *testing.T) {
	t.Parallel()
	c := startCollector(t, nil)
	r := startRecorder(t, c.address)
	d := fullDecision(t)
	span := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1, 2}, SpanID: trace.SpanID{3, 4}, TraceFlags: trace.FlagsSampled})
	r.Record(trace.ContextWithSpanContext(context.Background(), span), &d)
	require.NoError(t, r.ForceFlush(within(t)))

	require.Equal(t, []decision.Decision{stamped(d, r, 1)}, c.decoded(t, decisionlog.Stored), "label included")
	record := firstRecord(c.logs()[0])
	assert.Equal(t, decision.EventName, record.EventName())
	assert.Equal(t, plog.SeverityNumberInfo, record.SeverityNumber())
	assert.Equal(t, someTime, record.Timestamp().AsTime())
	assert.NotZero(t, record.ObservedTimestamp())
	assert.EqualValues(t, span.TraceID(), record.TraceID())
	assert.EqualValues(t, span.SpanID(), record.SpanID())
	assert.Equal(t, plog.DefaultLogRecordFlags.WithIsSampled(true), record.Flags())
	assert.Empty(t, record.Body().AsString())
}

func TestEveryAttributeHasTheListsType(t *testing.T) {
	t.Parallel()
	c := startCollector(t, nil)
	r := startRecorder(t, c.address)
	d := fullDecision(t)
	r.Record(context.Background(), &d)
	require.NoError(t, r.ForceFlush(within(t)))
	attributes := attributesOf(c.logs()[0])
	example := map[decision.Kind]any{
		decision.KindText: "", decision.KindID: "", decision.KindInt: int64(0),
		decision.KindFloat: 0.0, decision.KindBool: false, decision.KindFlagSet: []any{},
	}
	count := 0
	for _, f := range decision.Fields() {
		if f.Place == decision.Attribute {
			assert.IsType(t, example[f.Kind], attributes[f.Key], f.Key)
			count++
		}
	}
	require.Len(t, attributes, count, "nothing but the list")
}

func TestWhatTheCallerLeavesOutIsFilledIn(t *testing.T) {
	t.Parallel()
	c := startCollector(t, nil)
	r := startRecorder(t, c.address)
	d := someDecision("r")
	d.Timestamp = time.Time{}
	before := time.Now().Truncate(time.Microsecond)
	r.Record(context.Background(), &d)
	after := time.Now()
	require.NoError(t, r.ForceFlush(within(t)))
	got := c.decisions(t)[0]
	assert.False(t, got.Timestamp.Before(before) || got.Timestamp.After(after), "%v is not between %v and %v", got.Timestamp, before, after)
	assert.Equal(t, byte(7), got.EventID[6]>>4, "UUIDv7")
	assert.Zero(t, firstRecord(c.logs()[0]).TraceID())

	d.Timestamp, d.EventID = got.Timestamp, got.EventID
	require.Equal(t, stamped(d, r, 1), got)
}

func TestTimesAreCutToMicroseconds(t *testing.T) {
	t.Parallel()
	c := startCollector(t, nil)
	r := startRecorder(t, c.address)
	d := someDecision("r")
	d.Timestamp = someTime.Add(999).In(time.FixedZone("east", 7200))
	r.Record(context.Background(), &d)
	require.NoError(t, r.ForceFlush(within(t)))
	require.Equal(t, someTime, firstRecord(c.logs()[0]).Timestamp().AsTime())
}

func TestDecisionsOwnEnvironmentGoesBeforeTheResources(t *testing.T) {
	t.Parallel()
	c := startCollector(t, nil)
	sc := testSenderConfig(c.address)
	sc.resource = resource.NewSchemaless(attribute.String("service.name", "dwcp"),
		attribute.String("service.version", "1.0"), attribute.String("deployment.environment.name", "production"))
	r, err := newRecorder(testConfig())
	require.NoError(t, err)
	r.sink, err = newSender(r.ctx, sc, r.ledger, r.report)
	require.NoError(t, err)
	for _, environment := range []decision.Opt[string]{{}, {}, decision.Some("staging"), {}} {
		d := someDecision("r")
		d.Environment = environment
		r.Record(context.Background(), &d)
	}
	go r.work()
	require.NoError(t, r.Shutdown(within(t)))

	var got []string
	for _, d := range c.decisions(t) {
		got = append(got, d.Environment.Value+" "+d.EmitterVersion.Value)
	}
	require.Equal(t, []string{"production 1.0", "production 1.0", "staging 1.0", "production 1.0"}, got)
	logs := c.logs()[0]
	require.Equal(t, 3, logs.ResourceLogs().Len(), "consecutive decisions of one resource share it")
	require.Equal(t, map[string]any{"service.name": "dwcp", "service.version": "1.0", "deployment.environment.name": "staging"},
		logs.ResourceLogs().At(1).Resource().Attributes().AsRaw())
}
