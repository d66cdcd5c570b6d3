package oraclelabel

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/decision/decisiontest"
	"github.com/novacron/dwcp-telemetry/internal/decisionlog"
	"github.com/novacron/dwcp-telemetry/processor/oraclelabel/internal/metadatatest"
)

const rawVMID = "vm-secret-047"

// emitted is a decision as the Recorder sends it.
func emitted() decision.Decision {
	d := decisiontest.Full()
	d.VMID = rawVMID
	d.VMKeyID = decision.Opt[string]{}
	d.QualityFlags = 0
	for i := range labelFields {
		clearField(labelFields[i], &d)
	}
	return d
}

// clearField makes a field missing by decoding all others into a new decision.
func clearField(field *decision.Field, d *decision.Decision) {
	var kept decision.Decision
	for _, f := range decision.Fields() {
		if v, ok := f.Value(d); ok && f.Column != field.Column {
			if problem := f.Decode(v, &kept); problem != nil {
				panic(problem)
			}
		}
	}
	*d = kept
}

// logsOf returns decisions under one resource.
func logsOf(decisions ...decision.Decision) plog.Logs {
	logs := plog.NewLogs()
	resource := logs.ResourceLogs().AppendEmpty()
	decisionlog.EncodeResource(&decisions[0], resource.Resource())
	records := resource.ScopeLogs().AppendEmpty().LogRecords()
	for i := range decisions {
		decisionlog.Encode(&decisions[i], records.AppendEmpty())
	}
	return logs
}

func process(t *testing.T, configName string, logs plog.Logs) plog.Logs {
	t.Helper()
	l, err := newLabeller(loadConfig(t, configName), componenttest.NewNopTelemetrySettings())
	require.NoError(t, err)
	out, err := l.process(t.Context(), logs)
	require.NoError(t, err)
	return out
}

// decode reads the record at that position of the first resource.
func decode(t *testing.T, logs plog.Logs, record int) (d decision.Decision, problems []*decision.FieldError) {
	t.Helper()
	var decoder decisionlog.Decoder
	resource := logs.ResourceLogs().At(0)
	decoder.Resource(resource.Resource())
	problems = decoder.Decode(resource.ScopeLogs().At(0).LogRecords().At(record), decisionlog.Stored, &d)
	return d, problems
}

func pseudonymUnder(key byte, domain, id string) string {
	k := make([]byte, 32)
	for i := range k {
		k[i] = byte(i)
		if key != 0 {
			k[i] = key
		}
	}
	mac := hmac.New(sha256.New, k)
	mac.Write([]byte(domain + id))
	return hex.EncodeToString(mac.Sum(nil))
}

func everything(t *testing.T, logs plog.Logs) string {
	t.Helper()
	text, err := (&plog.JSONMarshaler{}).MarshalLogs(logs)
	require.NoError(t, err)
	return string(text)
}

func TestAValidDecisionIsPseudonymisedLabelledAndScored(t *testing.T) {
	t.Parallel()
	want := emitted()
	out := process(t, "oraclelabel", logsOf(want))
	got, problems := decode(t, out, 0)
	require.Empty(t, problems)

	want.VMID, want.VMKeyID = pseudonymUnder(0, "", rawVMID), decision.Some("k1")
	// 2.64 × 151.885804 / (0.89 × 56.2 × 0.01 + 1e-6) = 400.978… / 0.500181
	require.InEpsilon(t, 801.6664, got.OracleUtilityScore.Value, 1e-5)
	// 1.9 × 151.885804 × 0.01 / (182.2 × 0.19 × 0.01 + 1e-6) = 2.88583 / 0.346181
	require.InEpsilon(t, 8.336189, got.OracleOtherUtility.Value, 1e-5)
	require.GreaterOrEqual(t, got.OracleComputationMillis.Value, 0.0)
	want.OracleAlgorithm, want.OracleVersion = decision.Some(decision.HDE), decision.Some("plan/1")
	want.OracleUtilityScore, want.OracleOtherUtility, want.OracleComputationMillis = got.OracleUtilityScore, got.OracleOtherUtility, got.OracleComputationMillis
	want.QualityScore, want.TrainingCandidate = decision.Some(1.0), decision.Some(true)
	require.Equal(t, want, got)
}

func TestAnEmittersOwnLabelIsReplaced(t *testing.T) {
	t.Parallel()
	d := decisiontest.Full()
	d.OracleAlgorithm, d.QualityScore = decision.Some(decision.AMST), decision.Some(0.99)
	d.QualityFlags = decision.Implausible | decision.ShadowTimeout
	got, problems := decode(t, process(t, "oraclelabel", logsOf(d)), 0)
	require.Empty(t, problems)
	require.Equal(t, decision.HDE, got.OracleAlgorithm.Value)
	require.Equal(t, 1.0, got.QualityScore.Value)
	require.Equal(t, decision.ShadowTimeout, got.QualityFlags)
}

func TestAnEmittersOwnLabelThatIsWrongRefusesNothing(t *testing.T) {
	t.Parallel()
	logs := logsOf(emitted())
	attributes := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes()
	attributes.PutDouble("dwcp.oracle.utility_score", -1)
	attributes.PutStr("dwcp.oracle.algorithm", "hde")
	attributes.PutStr("dwcp.quality.score", "good")
	got, problems := decode(t, process(t, "oraclelabel", logs), 0)
	require.Empty(t, problems)
	require.Equal(t, decision.HDE, got.OracleAlgorithm.Value)
}

func TestTheRuleIsTheConfiguredOne(t *testing.T) {
	t.Parallel()
	got, problems := decode(t, process(t, "oraclelabel/all", logsOf(emitted())), 0)
	require.Empty(t, problems)
	require.Equal(t, "completion/1", got.OracleVersion.Value)
}

// spoiled are decisions that are invalid, and why.
var spoiled = map[string]struct {
	spoil  func(plog.LogRecord)
	reason decision.Reason
	key    string
}{
	"out of range": {func(r plog.LogRecord) { r.Attributes().PutDouble("dwcp.hde.cpu_usage", 109.5) }, decision.OutOfRange, "dwcp.hde.cpu_usage"},
	"NaN":          {func(r plog.LogRecord) { r.Attributes().PutDouble("dwcp.network.rtt_ms", math.NaN()) }, decision.NotFinite, "dwcp.network.rtt_ms"},
	"missing":      {func(r plog.LogRecord) { r.Attributes().Remove("dwcp.payload.type") }, decision.Missing, "dwcp.payload.type"},
	"no id":        {func(r plog.LogRecord) { r.Attributes().Remove("log.record.uid") }, decision.Missing, "log.record.uid"},
	"no VM id":     {func(r plog.LogRecord) { r.Attributes().Remove("dwcp.vm.id") }, decision.Missing, "dwcp.vm.id"},
	"empty VM id":  {func(r plog.LogRecord) { r.Attributes().PutStr("dwcp.vm.id", "") }, decision.Missing, "dwcp.vm.id"},
	"VM id is a map": {func(r plog.LogRecord) { r.Attributes().PutEmptyMap("dwcp.vm.id").PutStr("id", rawVMID) },
		decision.WrongType, "dwcp.vm.id"},
	"VM id is a list": {func(r plog.LogRecord) { r.Attributes().PutEmptySlice("dwcp.vm.id").AppendEmpty().SetStr(rawVMID) },
		decision.WrongType, "dwcp.vm.id"},
	"VM id is bytes": {func(r plog.LogRecord) { r.Attributes().PutEmptyBytes("dwcp.vm.id").FromRaw([]byte(rawVMID)) },
		decision.WrongType, "dwcp.vm.id"},
	"neither arm": {func(r plog.LogRecord) {
		for _, arm := range []string{"hde", "amst"} {
			r.Attributes().Remove("dwcp." + arm + ".latency_ms")
			r.Attributes().Remove("dwcp." + arm + ".prior.latency_ms")
		}
	}, decision.Unlabelable, "dwcp.oracle.algorithm"},
}

func TestInvalidDecisionsAreMarkedAndGoOnWithoutTheVMID(t *testing.T) {
	t.Parallel()
	for name, c := range spoiled {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			logs := logsOf(emitted(), emitted())
			c.spoil(logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0))
			out := process(t, "oraclelabel", logs)
			require.Equal(t, 2, out.LogRecordCount())
			_, problems := decode(t, out, 0)
			require.NotEmpty(t, problems)
			require.Equal(t, c.reason, problems[0].Reason)
			require.Equal(t, c.key, problems[0].Key)
			_, problems = decode(t, out, 1)
			require.Empty(t, problems, "the neighbour is not touched by it")
			require.NotContains(t, everything(t, out), rawVMID)
		})
	}
}

func TestWhatIsNotPartOfTheEventIsTakenAway(t *testing.T) {
	t.Parallel()
	logs := logsOf(emitted())
	resource := logs.ResourceLogs().At(0)
	resource.Resource().Attributes().PutStr("host.vm", rawVMID)
	resource.Resource().Attributes().PutStr("service.name", "dwcp")
	scope := resource.ScopeLogs().At(0)
	scope.Scope().Attributes().PutStr("vm", rawVMID)
	scope.Scope().SetName(rawVMID)
	scope.SetSchemaUrl("https://schema/" + rawVMID)
	resource.SetSchemaUrl("https://schema/" + rawVMID)
	resource.Resource().Attributes().PutStr("service.instance.id", rawVMID)
	record := scope.LogRecords().At(0)
	record.Attributes().PutStr("vm.name", rawVMID)
	record.Attributes().PutStr("dwcp.rejected.reason", "missing") // an emitter's own mark
	record.Body().SetStr("moving " + rawVMID)
	record.SetSeverityText(rawVMID)
	out := process(t, "oraclelabel", logs)
	require.NotContains(t, everything(t, out), rawVMID)
	_, problems := decode(t, out, 0)
	require.Empty(t, problems)
	service, _ := out.ResourceLogs().At(0).Resource().Attributes().Get("service.name")
	require.Equal(t, "dwcp", service.Str())
}

func TestLogsThatAreNoDecisionsPassUntouched(t *testing.T) {
	t.Parallel()
	logs := logsOf(emitted())
	resource := logs.ResourceLogs().At(0)
	resource.Resource().Attributes().PutStr("host.name", "h1")
	other := resource.ScopeLogs().At(0).LogRecords().AppendEmpty()
	other.Body().SetStr("hello")
	other.Attributes().PutStr("any", "thing")
	alone := logs.ResourceLogs().AppendEmpty()
	alone.Resource().Attributes().PutStr("host.name", "h2")
	alone.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetStr("world")
	before := plog.NewLogRecord()
	other.CopyTo(before)

	out := process(t, "oraclelabel", logs)
	require.Equal(t, 3, out.ResourceLogs().Len(), "the decision got a resource of its own")
	mixed := out.ResourceLogs().At(0)
	require.Equal(t, before, mixed.ScopeLogs().At(0).LogRecords().At(0))
	requireAttribute(t, mixed.Resource().Attributes(), "host.name", "h1")
	requireAttribute(t, out.ResourceLogs().At(1).Resource().Attributes(), "host.name", "h2")
	own := out.ResourceLogs().At(2)
	_, there := own.Resource().Attributes().Get("host.name")
	require.False(t, there)
	requireAttribute(t, own.Resource().Attributes(), "deployment.environment.name", "staging")
	require.True(t, decisionlog.IsDecision(own.ScopeLogs().At(0).LogRecords().At(0)))
}

func requireAttribute(t *testing.T, attributes pcommon.Map, key, want string) {
	t.Helper()
	v, ok := attributes.Get(key)
	require.True(t, ok, key)
	require.Equal(t, want, v.Str())
}

func TestPseudonymsOfAConfiguredKeyStayAndOthersDoNot(t *testing.T) {
	t.Parallel()
	pseudonym := strings.Repeat("ab", 32)
	for name, c := range map[string]struct{ vmID, keyID, wantID, wantKey string }{
		"of a known key":              {pseudonym, "k1", pseudonym, "k1"},
		"of an unknown key":           {pseudonym, "k9", pseudonymUnder(' ', "", pseudonym), "k2"},
		"a raw id that claims to be":  {rawVMID, "k1", pseudonymUnder(' ', "", rawVMID), "k2"},
		"a raw id under none":         {rawVMID, "none", pseudonymUnder(' ', "", rawVMID), "k2"},
		"64 hex digits without a key": {pseudonym, "", pseudonymUnder(' ', "", pseudonym), "k2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := emitted()
			d.VMID = c.vmID
			if c.keyID != "" {
				d.VMKeyID = decision.Some(c.keyID)
			}
			got, problems := decode(t, process(t, "oraclelabel/all", logsOf(d)), 0)
			require.Empty(t, problems)
			require.Equal(t, c.wantID, got.VMID)
			require.Equal(t, c.wantKey, got.VMKeyID.Value)
		})
	}
}

func TestSessionAndRequestAreHashedApartWhereAskedFor(t *testing.T) {
	t.Parallel()
	d := emitted()
	d.SessionID, d.RequestID = decision.Some(rawVMID), rawVMID
	got, problems := decode(t, process(t, "oraclelabel/all", logsOf(d)), 0)
	require.Empty(t, problems)
	require.Equal(t, pseudonymUnder(' ', "", rawVMID), got.VMID)
	require.Equal(t, pseudonymUnder(' ', "dwcp.session.id\x00", rawVMID), got.SessionID.Value)
	require.Equal(t, pseudonymUnder(' ', "dwcp.request.id\x00", rawVMID), got.RequestID)
}

func TestNoneLeavesTheVMIDAndSaysSo(t *testing.T) {
	t.Parallel()
	got, problems := decode(t, process(t, "oraclelabel/none", logsOf(emitted())), 0)
	require.Empty(t, problems)
	require.Equal(t, rawVMID, got.VMID)
	require.Equal(t, "none", got.VMKeyID.Value)
}

func TestMetricsCountLabelsAndReasons(t *testing.T) {
	t.Parallel()
	telemetry := componenttest.NewTelemetry()
	defer func() { _ = telemetry.Shutdown(context.Background()) }()
	l, err := newLabeller(loadConfig(t, "oraclelabel"), telemetry.NewTelemetrySettings())
	require.NoError(t, err)
	bad := emitted()
	bad.NetworkTier = 9
	_, err = l.process(t.Context(), logsOf(emitted(), emitted(), bad))
	require.NoError(t, err)
	metadatatest.AssertEqualOraclelabelLabelled(t, telemetry, []metricdata.DataPoint[int64]{
		{Value: 2, Attributes: attribute.NewSet(attribute.String("algorithm", "HDE"), attribute.String("link_type", "wan"))},
	}, metricdatatest.IgnoreTimestamp())
	metadatatest.AssertEqualOraclelabelRefused(t, telemetry, []metricdata.DataPoint[int64]{
		{Value: 1, Attributes: attribute.NewSet(attribute.String("reason", "out_of_range"))},
	}, metricdatatest.IgnoreTimestamp())
}

func BenchmarkProcess(b *testing.B) {
	l, err := newLabeller(&Config{Rule: "plan/1", Pseudonymise: HMACSHA256, Keys: []KeyConfig{{ID: "k1", KeyFile: "testdata/key"}}},
		componenttest.NewNopTelemetrySettings())
	require.NoError(b, err)
	decisions := make([]decision.Decision, 1000)
	for i := range decisions {
		decisions[i] = emitted()
	}
	fresh := logsOf(decisions...)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		logs := plog.NewLogs()
		fresh.CopyTo(logs)
		b.StartTimer()
		_, _ = l.process(b.Context(), logs)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(decisions)), "ns/decision")
}
