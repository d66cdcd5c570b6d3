package decision_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/decision/decisiontest"
)

func TestValuesAreReadBackFromTheirText(t *testing.T) {
	t.Parallel()
	for _, v := range []decision.Value{
		decision.TextValue("a b"), decision.IntValue(math.MinInt64), decision.FloatValue(0.1), decision.FloatValue(math.Inf(1)), decision.BoolValue(true),
		decision.BoolValue(false), decision.FlagsValue(decision.Tie | decision.Implausible), decision.FlagsValue(0),
		decision.TimeValue(time.Date(2026, 1, 2, 3, 4, 5, 678901000, time.UTC)),
	} {
		got, err := decision.ParseValue(v.Kind(), v.String())
		require.NoError(t, err)
		require.Equal(t, v, got)
	}
}

func TestTextThatIsNoValueOfTheKindIsAnError(t *testing.T) {
	t.Parallel()
	for kind, text := range map[decision.Kind]string{
		decision.KindInt: "1.5", decision.KindFloat: "fast", decision.KindBool: "t", decision.KindTime: "yesterday", decision.KindFlagSet: "tie,nonsense",
	} {
		_, err := decision.ParseValue(kind, text)
		require.Error(t, err, kind)
	}
}

func TestUUIDsAreReadInEitherCase(t *testing.T) {
	t.Parallel()
	const lower = "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"
	for _, text := range []string{lower, "0190A1B2-C3D4-7E5F-8A9B-0C1D2E3F4A5B"} {
		id, err := decision.ParseUUID(text)
		require.NoError(t, err)
		require.Equal(t, lower, id.String())
	}
	for _, text := range []string{"", "42", "0190a1b2c3d47e5f8a9b0c1d2e3f4a5b", "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5g", "00000000-0000-0000-0000-000000000000", "0190a1b2-c3d4-7e5f-8a9b_0c1d2e3f4a5b"} {
		_, err := decision.ParseUUID(text)
		require.Error(t, err, text)
	}
}

func TestAPseudonymIs64LowerCaseHexDigits(t *testing.T) {
	t.Parallel()
	d := decisiontest.Full()
	require.True(t, decision.IsPseudonym(d.VMID))
	require.False(t, decision.IsPseudonym(d.VMID[1:]))
	require.False(t, decision.IsPseudonym("vm-047"))
	require.False(t, decision.IsPseudonym("G"+d.VMID[1:]))
	require.False(t, decision.IsPseudonym("A"+d.VMID[1:]))
}
