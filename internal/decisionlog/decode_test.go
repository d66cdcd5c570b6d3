package decisionlog

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/xpdata"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/decision/decisiontest"
)

// encoded returns d as a log record with its resource.
func encoded(d *decision.Decision) (plog.ResourceLogs, plog.LogRecord) {
	resource := plog.NewLogs().ResourceLogs().AppendEmpty()
	EncodeResource(d, resource.Resource())
	record := resource.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	Encode(d, record)
	return resource, record
}

func decoded(resource plog.ResourceLogs, record plog.LogRecord, stage Stage) (d decision.Decision, problems []*decision.FieldError) {
	var decoder Decoder
	decoder.Resource(resource.Resource())
	problems = decoder.Decode(record, stage, &d)
	return d, problems
}

func TestDecodeOfEncodeIsTheDecision(t *testing.T) {
	t.Parallel()
	want := decisiontest.Full()
	resource, record := encoded(&want)
	require.True(t, IsDecision(record))
	got, problems := decoded(resource, record, Stored)
	require.Empty(t, problems)
	require.Equal(t, want, got)
}

func TestMissingOptionalFieldsStayMissing(t *testing.T) {
	t.Parallel()
	full := decisiontest.Full()
	want := decision.Decision{
		Timestamp: full.Timestamp, VMID: full.VMID, RequestID: "r", LinkType: decision.DC, Region: "x", NetworkTier: 1,
		BandwidthAvailableMbps: 1, PayloadBytes: 1, PayloadType: "zeros", EventID: full.EventID,
	}
	resource, record := encoded(&want)
	got, problems := decoded(resource, record, Emitted)
	require.Empty(t, problems)
	require.Equal(t, want, got)
}

func TestEveryRequiredFieldThatIsMissingIsNamed(t *testing.T) {
	t.Parallel()
	record := plog.NewLogRecord()
	record.SetEventName(decision.EventName)
	_, problems := decoded(plog.NewResourceLogs(), record, Stored)
	var missing []string
	for _, problem := range problems {
		require.Equal(t, decision.Missing, problem.Reason)
		missing = append(missing, problem.Key)
	}
	var want []string
	for _, f := range decision.Fields() {
		if f.Required {
			want = append(want, f.Name())
		}
	}
	require.Equal(t, want, missing)
	require.Contains(t, missing, "dwcp.network.rtt_ms", "0 would be a valid value")
}

func TestProblemsOfAttributes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil  func(plog.LogRecord)
		reason decision.Reason
		text   string
	}{
		"string for a double": {func(r plog.LogRecord) { r.Attributes().PutStr("dwcp.network.rtt_ms", "7") },
			decision.WrongType, "dwcp.network.rtt_ms: must be a double, got string"},
		"double for an int": {func(r plog.LogRecord) { r.Attributes().PutDouble("dwcp.network.tier", 2) },
			decision.WrongType, "dwcp.network.tier: must be a int, got double"},
		"map": {func(r plog.LogRecord) { r.Attributes().PutEmptyMap("dwcp.network.region").PutStr("a", "b") },
			decision.WrongType, "dwcp.network.region: must be a string, got Map"},
		"unknown flag": {func(r plog.LogRecord) {
			r.Attributes().PutEmptySlice("dwcp.quality.flags").AppendEmpty().SetStr("nonsense")
		}, decision.WrongType, "dwcp.quality.flags: must be a string[], got Slice"},
		"NaN": {func(r plog.LogRecord) { r.Attributes().PutDouble("dwcp.hde.latency_ms", math.NaN()) },
			decision.NotFinite, "dwcp.hde.latency_ms: must be ≥ 0 and ≤ 1e12, got NaN"},
		"bad uuid": {func(r plog.LogRecord) { r.Attributes().PutStr("log.record.uid", "42") },
			decision.BadUUID, "log.record.uid: must be a UUID"},
		"no time": {func(r plog.LogRecord) { r.SetTimestamp(0) }, decision.Missing, "timestamp: is required"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := decisiontest.Full()
			resource, record := encoded(&d)
			c.spoil(record)
			_, problems := decoded(resource, record, Stored)
			require.Len(t, problems, 1)
			require.Equal(t, c.reason, problems[0].Reason)
			require.Contains(t, problems[0].Error(), c.text)
		})
	}
}

func TestAnAttributeThatIsThereTwiceIsAProblem(t *testing.T) {
	t.Parallel()
	d := decisiontest.Full()
	resource, record := encoded(&d)
	appendTwice(record.Attributes(), "dwcp.network.region")
	_, problems := decoded(resource, record, Stored)
	require.Len(t, problems, 1)
	require.Equal(t, decision.DuplicateKey, problems[0].Reason)
	require.Equal(t, "dwcp.network.region", problems[0].Key)
}

func TestAResourceFieldAmongTheRecordsAttributesDoesNotCount(t *testing.T) {
	t.Parallel()
	d := decisiontest.Full()
	d.Environment = decision.Opt[string]{}
	resource, record := encoded(&d)
	record.Attributes().PutStr("deployment.environment.name", "production")
	got, problems := decoded(resource, record, Stored)
	require.Empty(t, problems)
	require.False(t, got.Environment.Set)
}

func TestHintsDoNotMixUpOrders(t *testing.T) {
	t.Parallel()
	var decoder Decoder
	want := decisiontest.Full()
	resource, record := encoded(&want)
	reversed := plog.NewLogRecord()
	record.CopyTo(reversed)
	reorder(reversed.Attributes(), func(keys []string) { slices.Reverse(keys) })
	decoder.Resource(resource.Resource())
	for range 3 {
		for _, r := range []plog.LogRecord{record, reversed} {
			var got decision.Decision
			require.Empty(t, decoder.Decode(r, Stored, &got))
			require.Equal(t, want, got)
		}
	}
}

// appendTwice repeats an attribute, as the wire may bring it.
func appendTwice(attributes pcommon.Map, key string) {
	reorder(attributes, func([]string) {}, key)
}

// reorder rebuilds attributes in another order, with some keys repeated at the
// end; the builder does not look for duplicates.
func reorder(attributes pcommon.Map, order func([]string), again ...string) {
	var keys []string
	for key := range attributes.All() {
		keys = append(keys, key)
	}
	order(keys)
	var builder xpdata.MapBuilder
	for _, key := range append(keys, again...) {
		v, _ := attributes.Get(key)
		v.CopyTo(builder.AppendEmpty(key))
	}
	builder.UnsafeIntoMap(attributes)
}

func TestAnIntIsTakenForADouble(t *testing.T) {
	t.Parallel()
	want := decisiontest.Full()
	resource, record := encoded(&want)
	record.Attributes().PutInt("dwcp.network.rtt_ms", 7)
	got, problems := decoded(resource, record, Stored)
	require.Empty(t, problems)
	require.Equal(t, 7.0, got.RTTMillis)
}

func TestAMarkComesFirstAndOnlyWithAKnownReason(t *testing.T) {
	t.Parallel()
	d := decisiontest.Full()
	resource, record := encoded(&d)
	want := &decision.FieldError{Reason: decision.OutOfRange, Key: "dwcp.hde.cpu_usage", Rule: "must be 0..100", Value: "109"}
	Mark(record, want)
	_, problems := decoded(resource, record, Stored)
	require.Equal(t, []*decision.FieldError{want}, problems)

	for key, spoofed := range map[string]string{
		reasonKey: "nonsense",
		fieldKey:  "no.field",
		ruleKey:   "",
	} {
		Mark(record, want)
		record.Attributes().PutStr(key, spoofed)
		_, problems = decoded(resource, record, Stored)
		require.Equal(t, key == ruleKey, len(problems) == 1, key)
	}
	Mark(record, &decision.FieldError{Reason: decision.TooOld, Key: "timestamp"})
	_, problems = decoded(resource, record, Stored)
	require.Empty(t, problems, "only the exporter knows what is too old")
	Mark(record, &decision.FieldError{Reason: decision.Missing, Key: "timestamp", Rule: "a\x00b", Value: strings.Repeat("x", 1000)})
	_, problems = decoded(resource, record, Stored)
	require.Equal(t, []*decision.FieldError{{Reason: decision.Missing, Key: "timestamp"}}, problems)
}

func BenchmarkEncode(b *testing.B) {
	d := decisiontest.Full()
	b.ReportAllocs()
	for b.Loop() {
		Encode(&d, plog.NewLogRecord())
	}
}

func BenchmarkDecode(b *testing.B) {
	d := decisiontest.Full()
	resource, record := encoded(&d)
	var decoder Decoder
	decoder.Resource(resource.Resource())
	b.ReportAllocs()
	for b.Loop() {
		if decoder.Decode(record, Stored, &d) != nil {
			b.Fatal("the decision is not valid")
		}
	}
}
