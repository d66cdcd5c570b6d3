package oraclelabel

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor/processorhelper"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/internal/decisionlog"
	"github.com/novacron/dwcp-telemetry/processor/oraclelabel/internal/metadatatest"
)

// The agent replaces VM ids and strips, the gateway has no key, checks and labels.
func TestAnAgentAndAGatewayMakeWhatOneProcessorMakes(t *testing.T) {
	t.Parallel()
	spoils := map[string]func(plog.LogRecord){"valid": func(plog.LogRecord) {},
		"foreign": func(r plog.LogRecord) { r.Attributes().PutStr("vm.name", rawVMID) },
		"done by the emitter": func(r plog.LogRecord) {
			r.Attributes().PutStr("dwcp.vm.id", strings.Repeat("ab", 32))
			r.Attributes().PutStr("dwcp.vm.key_id", "k1")
		}}
	for name, c := range spoiled {
		spoils[name] = c.spoil
	}
	for name, spoil := range spoils {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			logs := logsOf(emitted())
			spoil(logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0))
			once := plog.NewLogs()
			logs.CopyTo(once)
			once = process(t, "oraclelabel", once)

			between := process(t, "oraclelabel/agent", logs)
			require.NotContains(t, everything(t, between), rawVMID)
			require.NotContains(t, everything(t, between), "dwcp.oracle.algorithm")
			twice := process(t, "oraclelabel/gateway", between)
			require.Equal(t, outcome(once), outcome(twice))
		})
	}
}

// outcome is the text of the one record's attributes (a NaN equals nothing), the
// time that labelling took apart.
func outcome(logs plog.Logs) string {
	attributes := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes()
	attributes.Remove("dwcp.oracle.computation_time_ms")
	return fmt.Sprint(attributes.AsRaw())
}

func TestWithoutAKeyWhatIsNoAcceptedPseudonymIsTakenOutAndReported(t *testing.T) {
	t.Parallel()
	pseudonym := strings.Repeat("ab", 32)
	for name, c := range map[string]struct{ vmID, keyID string }{
		"raw":                            {rawVMID, ""},
		"raw, and claims to be made":     {rawVMID, "k1"},
		"under a key that is not listed": {pseudonym, "k9"},
		"under none":                     {rawVMID, "none"},
		"without a key's id":             {pseudonym, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := emitted()
			d.VMID = c.vmID
			if c.keyID != "" {
				d.VMKeyID = decision.Some(c.keyID)
			}
			out := process(t, "oraclelabel/gateway", logsOf(d))
			require.NotContains(t, everything(t, out), c.vmID)
			_, problems := decode(t, out, 0)
			require.Equal(t, decision.RawVMID, problems[0].Reason)
			require.EqualError(t, problems[0], "dwcp.vm.id: must be a pseudonym made with a key that is accepted here (k1, k2)")
		})
	}
	logs := logsOf(emitted())
	attributes := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes()
	attributes.PutEmptyMap("dwcp.vm.id").PutStr("id", rawVMID)
	require.NotContains(t, everything(t, process(t, "oraclelabel/gateway", logs)), rawVMID)
}

func TestAGatewaysKeysHaveIDsOnly(t *testing.T) {
	t.Parallel()
	require.NoError(t, confmap.Validate(loadConfig(t, "oraclelabel/gateway")))
	require.NoError(t, confmap.Validate(loadConfig(t, "oraclelabel/agent")))
	err := confmap.Validate(loadConfig(t, "oraclelabel/gateway_wrong"))
	require.ErrorContains(t, err, "keys::0::key: pseudonymise: accept takes ids only; leave key and key_file out")
	require.ErrorContains(t, err, "keys::1::key: pseudonymise: accept takes ids only")
	require.ErrorContains(t, err, "pseudonymise_also: needs pseudonymise: hmac-sha256, got accept")
	require.NotContains(t, err.Error(), "000102")
}

func TestLogsThatAreNoDecisionsAreDroppedWhereOnlyDecisionsAreWanted(t *testing.T) {
	t.Parallel()
	telemetry := componenttest.NewTelemetry()
	defer func() { _ = telemetry.Shutdown(context.Background()) }()
	l, err := newLabeller(loadConfig(t, "oraclelabel/agent"), telemetry.NewTelemetrySettings())
	require.NoError(t, err)
	logs := logsOf(emitted())
	logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().AppendEmpty().Body().SetStr(rawVMID)
	alone := logs.ResourceLogs().AppendEmpty()
	alone.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetStr(rawVMID)
	others := plog.NewLogs()
	alone.CopyTo(others.ResourceLogs().AppendEmpty())

	out, err := l.process(t.Context(), logs)
	require.NoError(t, err)
	require.Equal(t, 1, out.LogRecordCount())
	require.True(t, decisionlog.IsDecision(out.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)))
	require.NotContains(t, everything(t, out), rawVMID)
	_, err = l.process(t.Context(), others)
	require.ErrorIs(t, err, processorhelper.ErrSkipProcessingData, "nothing is left to pass on")

	metadatatest.AssertEqualOraclelabelDropped(t, telemetry, []metricdata.DataPoint[int64]{{Value: 3}}, metricdatatest.IgnoreTimestamp())
	metadatatest.AssertEqualOraclelabelPassed(t, telemetry, []metricdata.DataPoint[int64]{{Value: 1}}, metricdatatest.IgnoreTimestamp())
}
