package replay_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/internal/replay"
)

// asRecorded leaves out what belongs to the Recorder that sent it.
func asRecorded(all []decision.Decision) []decision.Decision {
	for i := range all {
		all[i].RecorderID, all[i].RecorderSequence = decision.Opt[decision.UUID]{}, decision.Opt[int64]{}
		all[i].SamplingRatio, all[i].Environment, all[i].EmitterVersion = decision.Opt[float64]{}, decision.Opt[string]{}, decision.Opt[string]{}
	}
	return all
}

func TestTheSameFileTwiceGivesTheSameEvents(t *testing.T) {
	first, _ := send(t, made(6), replay.Options{KeepTimes: true})
	second, _ := send(t, made(6), replay.Options{KeepTimes: true})
	got := asRecorded(first.inOrder())
	require.Equal(t, got, asRecorded(second.inOrder()))
	ids := map[decision.UUID]bool{}
	for i, d := range got {
		ids[d.EventID] = true
		want := numbered(i)
		want.EventID = d.EventID
		require.Equal(t, want, d, "all but the event id is as in the file")
	}
	require.Len(t, ids, 6)
}

func TestEventIDsOfTheFileAreKept(t *testing.T) {
	id := decision.UUID{0: 1, 6: 0x70, 8: 0x80, 15: 42}
	s, _ := send(t, withEventID(id), replay.Options{KeepTimes: true})
	require.Equal(t, id, s.inOrder()[0].EventID)
}

func TestDecisionsBeforeABadLineAreSentWithKeptTimes(t *testing.T) {
	s := startServer(t, nil)
	r := newRecorder(t)
	n, err := replay.Send(t.Context(), r, broken, replay.Options{KeepTimes: true})
	require.EqualError(t, err, "line 3: nonsense")
	require.Equal(t, 2, n)
	shutdown(t, r)
	require.Len(t, s.inOrder(), 2)
}

func TestDecisionsDoNotLimitKeptTimes(t *testing.T) {
	s, _ := send(t, made(6), replay.Options{KeepTimes: true, Decisions: 2})
	require.Len(t, s.inOrder(), 6)
}
