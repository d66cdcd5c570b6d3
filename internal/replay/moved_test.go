package replay_test

import (
	"errors"
	"iter"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/internal/replay"
)

func TestMovedTimesFillTheLastSevenDaysInProportion(t *testing.T) {
	s, _ := send(t, made(5), replay.Options{Now: now})
	for i, d := range s.inOrder() {
		require.Equal(t, now.Add(-week+time.Duration(i)*week/4), d.Timestamp, "decision %d", i)
		require.Equal(t, float64(i), d.RTTMillis)
	}
}

func TestASingleDecisionIsOfNow(t *testing.T) {
	s, _ := send(t, made(1), replay.Options{Now: now})
	require.Equal(t, now, s.inOrder()[0].Timestamp)
}

// What a source is asked for twice, it is asked for in passes, each with its
// part of the span.
func TestMoreThanTheSourceHoldsIsSentInPasses(t *testing.T) {
	s, _ := send(t, made(4), replay.Options{Now: now, Decisions: 10})
	got := s.inOrder()
	require.Len(t, got, 10)
	for i, d := range got {
		require.Equal(t, float64(i%4), d.RTTMillis)
		require.False(t, d.Timestamp.Before(now.Add(-week)) || d.Timestamp.After(now), d.Timestamp)
		require.True(t, i == 0 || !d.Timestamp.Before(got[i-1].Timestamp), "decision %d is older than the one before it", i)
	}
	require.Equal(t, now.Add(-week), got[0].Timestamp)
	require.WithinDuration(t, now.Add(-week*2/3), got[4].Timestamp, time.Microsecond)
	require.WithinDuration(t, now.Add(-week/3), got[8].Timestamp, time.Microsecond)
}

func TestFewerThanTheSourceHoldsAreItsFirst(t *testing.T) {
	s, _ := send(t, made(10), replay.Options{Now: now, Decisions: 3})
	got := s.inOrder()
	require.Len(t, got, 3)
	require.Equal(t, float64(2), got[2].RTTMillis)
	require.Equal(t, now, got[2].Timestamp)
}

func TestIDsAreNewAndSessionsStayTogetherWithinAPass(t *testing.T) {
	s, r := send(t, made(4), replay.Options{Now: now, Decisions: 8})
	got := s.inOrder()
	requests, events := map[string]bool{}, map[decision.UUID]bool{}
	for i, d := range got {
		requests[d.RequestID], events[d.EventID] = true, true
		require.NotContains(t, d.RequestID, "request-")
		require.NotContains(t, d.SessionID.Value, "session-")
		require.Equal(t, decision.Some(r.ID()), d.RecorderID)
		require.Equal(t, int64(i+1), d.RecorderSequence.Value)
	}
	require.Len(t, requests, 8)
	require.Len(t, events, 8)
	session := func(i int) string { return got[i].SessionID.Value }
	require.Equal(t, session(0), session(1))
	require.Equal(t, session(2), session(3))
	require.Equal(t, session(4), session(5))
	require.NotEqual(t, session(0), session(2))
	require.NotEqual(t, session(0), session(4), "a session of the other pass")
}

func TestEventIDsOfTheFileAreNotKeptWithMovedTimes(t *testing.T) {
	old := decision.UUID{7}
	s, _ := send(t, withEventID(old), replay.Options{Now: now})
	require.NotEqual(t, old, s.inOrder()[0].EventID)
	require.NotEqual(t, decision.UUID{}, s.inOrder()[0].EventID)
}

func withEventID(id decision.UUID) replay.Source {
	return func() iter.Seq2[decision.Decision, error] {
		return func(yield func(decision.Decision, error) bool) {
			d := numbered(0)
			d.EventID = id
			yield(d, nil)
		}
	}
}

func TestNothingToSendIsAnError(t *testing.T) {
	startServer(t, nil)
	_, err := replay.Send(t.Context(), newRecorder(t), made(0), replay.Options{Now: now})
	require.EqualError(t, err, "there is no decision to send")
}

// broken is a source whose third line is none.
func broken() iter.Seq2[decision.Decision, error] {
	return func(yield func(decision.Decision, error) bool) {
		for i := range 2 {
			if !yield(numbered(i), nil) {
				return
			}
		}
		yield(decision.Decision{}, errors.New("line 3: nonsense"))
	}
}

func TestABadLineSendsNothingWithMovedTimes(t *testing.T) {
	startServer(t, nil)
	r := newRecorder(t)
	n, err := replay.Send(t.Context(), r, broken, replay.Options{Now: now})
	require.EqualError(t, err, "line 3: nonsense")
	require.Zero(t, n)
	require.Zero(t, r.Stats().Recorded)
}
