package decisionlog

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/decision/decisiontest"
)

func TestTheOriginalHoldsTheListedAttributesAndNothingElse(t *testing.T) {
	t.Parallel()
	want := decisiontest.Full()
	resource, record := encoded(&want)
	resource.Resource().Attributes().PutStr("host.name", "secret-host")
	record.Attributes().PutStr("vm.name", "secret-vm")
	record.Body().SetStr("secret-body")
	record.SetSeverityText("secret-severity")
	record.SetTraceID([16]byte{1})
	record.SetObservedTimestamp(12345)
	data, _ := Original(resource.Resource(), record, KeepPseudonyms)
	require.NotContains(t, string(data), "secret")

	logs, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(data)
	require.NoError(t, err)
	kept := logs.ResourceLogs().At(0)
	got, problems := decoded(kept, kept.ScopeLogs().At(0).LogRecords().At(0), Emitted)
	require.Empty(t, problems)
	for _, f := range decision.Fields() {
		w, _ := f.Value(&want)
		g, ok := f.Value(&got)
		if f.Role == decision.RoleLabel {
			require.False(t, ok, f.Name())
			continue
		}
		if f.Role == decision.RoleQuality && f.Column != "quality_flags" {
			continue // there, but for the collector to make
		}
		require.Equal(t, w, g, f.Name())
	}
	require.Equal(t, [16]byte{1}, [16]byte(kept.ScopeLogs().At(0).LogRecords().At(0).TraceID()))
}

func TestTheDigestIsTheSameEachTimeTheEventIsSent(t *testing.T) {
	t.Parallel()
	first, again := decisiontest.Full(), decisiontest.Full()
	again.OracleComputationMillis = decision.Some(99.0)
	resource, record := encoded(&first)
	_, resent := encoded(&again)
	resent.SetObservedTimestamp(99)
	data, digest := Original(resource.Resource(), record, KeepPseudonyms)
	same, sameDigest := Original(resource.Resource(), resent, KeepPseudonyms)
	require.Equal(t, data, same)
	require.Equal(t, digest, sameDigest)

	again.RecorderID, again.RecorderSequence, again.SamplingRatio = decision.Some(again.EventID), decision.Some(int64(8)), decision.Some(0.25)
	_, replayed := encoded(&again)
	other, sameDigest := Original(resource.Resource(), replayed, KeepPseudonyms)
	require.NotEqual(t, data, other, "the original tells the Recorder")
	require.Equal(t, digest, sameDigest)

	again.RTTMillis++
	_, changed := encoded(&again)
	_, otherDigest := Original(resource.Resource(), changed, KeepPseudonyms)
	require.NotEqual(t, digest, otherDigest)
}

func TestARawVMIDIsLeftOutOfTheOriginalUnlessAllowed(t *testing.T) {
	t.Parallel()
	d := decisiontest.Full()
	d.VMID = "vm-047"
	resource, record := encoded(&d)
	data, _ := Original(resource.Resource(), record, KeepPseudonyms)
	require.NotContains(t, string(data), "vm-047")
	data, _ = Original(resource.Resource(), record, KeepAnyVMID)
	require.Contains(t, string(data), "vm-047")

	looksLikeOne := decisiontest.Full()
	resource, record = encoded(&looksLikeOne)
	data, _ = Original(resource.Resource(), record, KeepNoVMID)
	require.NotContains(t, string(data), looksLikeOne.VMID)
}

func TestTheOriginalOfAValidDecisionIsThatOfItsRecord(t *testing.T) {
	t.Parallel()
	d := decisiontest.Full()
	resource, record := encoded(&d)
	record.SetTraceID([16]byte{1})
	record.SetSpanID([8]byte{2})
	record.SetFlags(1)
	want, wantDigest := Original(resource.Resource(), record, KeepPseudonyms)
	got, gotDigest := OriginalOf(&d, TraceOf(record), KeepPseudonyms)
	require.Equal(t, want, got)
	require.Equal(t, wantDigest, gotDigest)
	require.Nil(t, TraceOf(plog.NewLogRecord()))
}
