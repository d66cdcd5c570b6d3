package ledger

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/ledger/ledgertest"
)

func (b *testBundle) live(t *testing.T, g Goal) Live {
	t.Helper()
	live, err := ReadLive(t.Context(), b.admin, g)
	require.NoError(t, err)
	return live
}

// at commits one batch at a moment.
func (b *testBundle) at(t *testing.T, moment time.Time, kind string, written, candidates, rejected, duplicate int64) {
	t.Helper()
	b.exec(t, `INSERT INTO compression_telemetry_batches (committed_at, kind, received, written, duplicate, conflict, rejected, candidates, labels, rejected_by_reason)
		VALUES ($1, $2, $3, $4, $5, 0, $6, $7, '{}', '{}')`, moment, kind, written+duplicate+rejected, written, duplicate, rejected, candidates)
}

func TestHistoryHasAPointForEachSpanAndOneForNow(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for i, h := range b.live(t, DefaultGoal()).Histories {
		span := []time.Duration{time.Minute, time.Hour, 24 * time.Hour}[i]
		require.Equal(t, span, h.Span)
		require.Equal(t, span.Seconds(), h.Seconds)
		require.Len(t, h.Points, []int{61, 25, 31}[i])
		for k := range h.Points[:len(h.Points)-2] {
			require.Equal(t, span, h.Points[k+1].Until.Sub(h.Points[k].Until))
			require.Zero(t, h.Points[k].Until.Sub(time.Unix(0, 0))%span, "spans begin where date_bin has them begin")
		}
		require.Less(t, h.Points[len(h.Points)-1].Until.Sub(h.Points[len(h.Points)-2].Until), span)
	}
}

func TestEachBatchIsInTheSpanItWasCommittedIn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	minute := b.now.Truncate(time.Minute)
	b.at(t, minute.Add(-time.Minute), "load", 10, 9, 2, 1) // a span's first moment is in it
	b.at(t, minute.Add(-time.Microsecond), "load", 5, 4, 0, 0)
	b.at(t, minute.Add(-time.Minute-time.Microsecond), "load", 100, 50, 0, 3)
	b.at(t, minute.Add(-30*time.Second), "relabel", 0, -4, 0, 0) // no load
	hour := b.live(t, DefaultGoal()).Histories[0].Points
	found := map[time.Time]Recent{}
	for _, p := range hour[:len(hour)-1] {
		found[p.Until] = p.Recent
	}
	require.Equal(t, Recent{Written: 15, Candidates: 13, Rejected: 2, Duplicate: 1}, found[minute])
	require.Equal(t, Recent{Written: 100, Candidates: 50, Duplicate: 3}, found[minute.Add(-time.Minute)])
	require.Equal(t, Recent{}, found[minute.Add(-2*time.Minute)], "a span without a batch")
}

func TestTheLastPointIsOfTheTimeBeforeNow(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.at(t, b.now, "load", 60, 45, 2, 1)
	b.at(t, b.now.Add(-20*time.Minute), "load", 7, 0, 0, 0)
	b.at(t, b.now.Add(-20*time.Hour), "load", 3, 0, 0, 0)
	live := b.live(t, DefaultGoal())
	for i, want := range []Recent{live.LastMinute, live.LastHour, live.LastDay} {
		points := live.Histories[i].Points
		require.Equal(t, Point{live.Now, want}, points[len(points)-1])
	}
	require.Equal(t, Recent{Written: 60, Candidates: 45, Rejected: 2, Duplicate: 1}, live.LastMinute)
	require.EqualValues(t, 67, live.LastHour.Written)
	require.EqualValues(t, 70, live.LastDay.Written)
}

// What is older than the retention is folded into one row, which is no busy day.
func TestTheDaysEndBeforeTheRetentionDoes(t *testing.T) {
	t.Parallel()
	for retention, want := range map[time.Duration]int{90 * 24 * time.Hour: 30, 31 * 24 * time.Hour: 30, 7 * 24 * time.Hour: 6, 36 * time.Hour: 1, time.Hour: 1} {
		require.Equal(t, want, historyDays(Goal{Retention: retention}), retention.String())
	}
}

func TestLiveIsTheStatusAndMoreRecorders(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for i := range 24 {
		b.came(t, time.Minute, "load", fmt.Sprintf(`{"r%02d": {"count": 10, "last": %d}}`, i, 10+i%3))
	}
	live := b.live(t, DefaultGoal())
	require.EqualValues(t, 24, live.Completeness.Recorders)
	require.Len(t, live.Completeness.Worst, shownRecorders)
	require.Len(t, live.Recorders, liveRecorders)
	require.EqualValues(t, 2, live.Recorders[0].Missing())
	require.InDelta(t, 10./12, live.Recorders[0].Share(), 1e-9)
	require.Zero(t, live.Recorders[liveRecorders-1].Missing(), "those that lost nothing are shown, too")
	status := b.status(t)
	status.Now, status.Cutoff, status.Progress = live.Now, live.Cutoff, live.Progress // of another moment
	require.Equal(t, status, live.Status)
}

func TestLiveIsOneFlatObjectInJSON(t *testing.T) {
	t.Parallel()
	b := setup(t)
	encoded, err := json.Marshal(b.live(t, DefaultGoal()))
	require.NoError(t, err)
	var object map[string]any
	require.NoError(t, json.Unmarshal(encoded, &object))
	for _, key := range []string{"now", "totals", "last_minute", "progress", "recorders", "histories"} {
		require.Contains(t, object, key)
	}
	point := object["histories"].([]any)[0].(map[string]any)["points"].([]any)[0]
	require.Subset(t, point, map[string]any{"written": 0., "candidates": 0., "rejected": 0., "duplicate": 0.})
}

func TestPhasesFollowTheCandidates(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		written, candidates int64
		current             string
	}{
		{0, 0, "Setup"}, {1, 0, "Staging"}, {9_999, 9_999, "Staging"}, {20_000, 10_000, "Production, shadow mode"},
		{60_000, 50_000, "Production, full collection"}, {200_000, 100_000, "Export"},
	} {
		status := Status{Totals: Totals{Written: c.written, Candidates: c.candidates}}
		phases := status.phases()
		require.Len(t, phases, 6)
		seen := PhaseDone
		for i, p := range phases {
			require.Equal(t, i+1, p.Week)
			if p.Name == c.current {
				require.Equal(t, PhaseCurrent, p.State, c.current)
				seen = PhaseAhead
				continue
			}
			require.Equal(t, seen, p.State, "%s while %s", p.Name, c.current)
		}
		require.Equal(t, PhaseAhead, seen, c.current)
	}
}

func BenchmarkLive(b *testing.B) {
	bundle := setup(b)
	ledgertest.Large(b, bundle.admin, 3_000)
	for b.Loop() {
		live, err := ReadLive(b.Context(), bundle.admin, DefaultGoal())
		if err != nil || live.Totals.Written < 49_000_000 {
			b.Fatal(err, live.Totals.Written)
		}
	}
}
