package ledger

import (
	"fmt"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/completeness"
	"github.com/novacron/dwcp-telemetry/internal/ledger/ledgertest"
)

// paced is a status after a day of so many rows and candidates.
func paced(have, rows, candidates int64) *Status {
	return &Status{Now: noon, Totals: Totals{Candidates: have}, LastDay: Recent{Written: rows, Candidates: candidates}}
}

func TestMilestonesAreReachedAtThePaceOfTheLastDay(t *testing.T) {
	t.Parallel()
	p := paced(20_000, 10_000, 2_000).progress(DefaultGoal(), nil)
	require.InDelta(t, 10_000, p.RowsPerDay, 1e-9)
	require.InDelta(t, 0.2, p.CandidateShare, 1e-9)
	require.Equal(t, Milestone{Candidates: 10_000, Reached: true}, p.Milestones[0])
	require.Equal(t, noon.AddDate(0, 0, 15), p.Milestones[1].ETA)
	require.InDelta(t, 30_000./70_000, *p.Milestones[1].ShareNeeded, 1e-9)
	require.Equal(t, noon.AddDate(0, 0, 40), p.Milestones[2].ETA)
	require.InDelta(t, 80_000./70_000, *p.Milestones[2].ShareNeeded, 1e-9, "more than there are decisions")
}

func TestAMilestoneThatTheRetentionForbidsHasNoETA(t *testing.T) {
	t.Parallel()
	p := paced(20_000, 10_000, 1_000).progress(DefaultGoal(), nil) // 90,000 in 90 days
	require.Equal(t, noon.AddDate(0, 0, 30), p.Milestones[1].ETA)
	require.True(t, p.Milestones[2].ETA.IsZero())
	require.Equal(t, "the retention takes out as many before that", p.Milestones[2].Never)
}

func TestWithoutCandidatesThereIsNoETAButAShare(t *testing.T) {
	t.Parallel()
	p := paced(0, 10_000, 0).progress(DefaultGoal(), nil)
	require.Equal(t, "no candidates came within the last day", p.Milestones[0].Never)
	require.InDelta(t, 1./7, *p.Milestones[0].ShareNeeded, 1e-9)
	none := paced(0, 0, 0).progress(DefaultGoal(), nil)
	require.Nil(t, none.Milestones[0].ShareNeeded)
}

func TestTheFirstDaysPaceIsTakenFromItsBegin(t *testing.T) {
	t.Parallel()
	since := noon.Add(-6 * time.Hour)
	require.InDelta(t, 4_000, paced(500, 1_000, 500).progress(DefaultGoal(), &since).RowsPerDay, 1e-9)
	since = noon.Add(-time.Second)
	require.InDelta(t, 144_000, paced(500, 1_000, 500).progress(DefaultGoal(), &since).RowsPerDay, 1e-9, "one batch is no pace")
}

func (b *testBundle) came(t *testing.T, age time.Duration, kind, recorders string) {
	t.Helper()
	b.exec(t, `INSERT INTO compression_telemetry_batches (committed_at, kind, received, written, duplicate, conflict, rejected, candidates, labels, rejected_by_reason, recorders)
		VALUES ($1, $2, 0, 0, 0, 0, 0, 0, '{}', '{}', $3)`, b.now.Add(-age), kind, recorders)
}

func TestCompletenessIsWhatCameOfWhatTheRecordersNumbered(t *testing.T) {
	t.Parallel()
	b := setup(t)
	require.InDelta(t, 1, b.status(t).Completeness.Share(), 0, "nothing was numbered")
	b.came(t, 50*time.Hour, "load", `{"a": {"count": 90, "last": 100}}`)
	b.came(t, 2*time.Hour, "load", `{"a": {"count": 60, "last": 160}, "b": {"count": 40, "last": 40}}`)
	b.came(t, time.Hour, "load", `{"a": {"count": 41, "last": 200}}`)
	b.came(t, time.Minute, "replay", `{"a": {"count": -1, "last": 0}}`)
	status := b.status(t)
	c := status.Completeness
	require.Equal(t, []int64{2, 230, 240}, []int64{c.Recorders, c.Received, c.Expected})
	require.Len(t, c.Worst, 1)
	require.Equal(t, Recorder{ID: "a", Received: 190, Expected: 200, Seen: b.now.Add(-time.Minute)}, c.Worst[0])
	require.Contains(t, status.Warnings[0], "only 95.8 % of what the Recorders numbered came, less than 98 %")
}

// One that was there before the span is counted from there on; one that began
// within it, from 1.
func TestARecorderIsCountedFromWhereTheSpanBegins(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.came(t, 8*24*time.Hour, "load", `{"old": {"count": 4000, "last": 5000}}`)
	b.came(t, 6*24*time.Hour, "load", `{"old": {"count": 10, "last": 5010}}`)
	b.came(t, 5*24*time.Hour, "load", `{"old": {"count": 88, "last": 5100}, "new": {"count": 5, "last": 10}}`)
	c := b.status(t).Completeness
	require.Equal(t, []int64{2, 103, 110}, []int64{c.Recorders, c.Received, c.Expected}, "new lost 5, old lost 2")
}

func TestWhatLeftTheTableIsToldByWhy(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for kind, removed := range map[string]int{"retention": 7, "forget": 3, "relabel": 0} {
		b.exec(t, `INSERT INTO compression_telemetry_batches (committed_at, kind, received, written, duplicate, conflict, rejected, removed, candidates, labels, rejected_by_reason)
			VALUES ($1, $2, 0, 0, 0, 0, 0, $3, 0, '{}', '{}')`, b.now, kind, removed)
	}
	require.Equal(t, map[string]Removal{"retention": {7, b.now}, "forget": {3, b.now}}, b.status(t).Removals)
}

var scanned = regexp.MustCompile(`on compression_telemetry_batches( |$)`)

// What it reads is the ledger and the catalog: no plan of it names the table or a
// partition.
func TestNoStatementOfTheStatusScansAPartition(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.makePartitions(t)
	ledgertest.Large(t, b.admin, 100)
	arguments := map[string][]any{completeness.SQL: {shownRecorders, completeness.Span}, historySQL: {time.Minute, 60}}
	for _, statement := range []string{totalsSQL, recentSQL, completeness.SQL, removedSQL, historySQL} {
		args := arguments[statement]
		rows, err := b.admin.Query(t.Context(), "EXPLAIN "+statement, args...)
		require.NoError(t, err)
		scans := 0
		for rows.Next() {
			var line string
			require.NoError(t, rows.Scan(&line))
			require.NotRegexp(t, `on compression_telemetry(_\d+)?( |$)`, line)
			if scanned.MatchString(line) {
				scans++
			}
		}
		require.NoError(t, rows.Err())
		require.Positive(t, scans)
	}
}

func BenchmarkStatus(b *testing.B) {
	for _, unfolded := range []int{120, 3_000} { // in 10 minutes: a batch every 5 s, and every 200 ms
		b.Run(fmt.Sprintf("%d unfolded", unfolded), func(b *testing.B) {
			bundle := setup(b)
			ledgertest.Large(b, bundle.admin, unfolded)
			for b.Loop() {
				status, err := ReadStatus(b.Context(), bundle.admin, DefaultGoal())
				if err != nil || status.Totals.Written < 49_000_000 || status.Completeness.Recorders < 20 {
					b.Fatal(err, status.Totals.Written, status.Completeness.Recorders)
				}
			}
		})
	}
}
