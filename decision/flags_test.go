package decision_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
)

func TestAnyHardFlagAloneBringsTheScoreTo08OrBelowAndNoSoftOneDoes(t *testing.T) {
	t.Parallel()
	for _, f := range decision.FlagTable() {
		require.Equal(t, f.Hard, f.Flag.Hard(), f.Name)
		if f.Hard {
			require.LessOrEqual(t, f.Flag.Score(), 0.8, f.Name)
		} else {
			require.Greater(t, f.Flag.Score(), 0.8, f.Name)
		}
	}
}

func TestTheScoreStartsAt1AndEndsAt0(t *testing.T) {
	t.Parallel()
	require.Equal(t, 1.0, decision.Flags(0).Score())
	require.Equal(t, 0.5, decision.AMSTMissing.Score())
	require.InDelta(t, 0.45, (decision.AMSTMissing | decision.EntropyMissing).Score(), 1e-15)
	require.Equal(t, 0.0, (decision.HDEMissing | decision.AMSTMissing | decision.NearZeroCost).Score())
}

func TestFlagNamesAreReadBack(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, f := range decision.FlagTable() {
		got, ok := decision.FlagNamed(f.Name)
		require.True(t, ok)
		require.Equal(t, f.Flag, got)
		require.False(t, seen[f.Name], "%s twice", f.Name)
		seen[f.Name] = true
	}
	require.Equal(t, "hde_missing,tie", (decision.Tie | decision.HDEMissing).String())
	_, ok := decision.FlagNamed("nonsense")
	require.False(t, ok)
}
