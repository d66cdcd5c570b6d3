package ledger

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/trainingset"

	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
)

var (
	_ Querier = (*pgx.Conn)(nil)
	_ Querier = (*pgxpool.Pool)(nil)
	_ Querier = (pgx.Tx)(nil)
)

func TestEmptyLedgerSumsToNothing(t *testing.T) {
	t.Parallel()
	totals := setup(t).totals(t)
	require.Equal(t, Totals{RejectedByReason: map[string]int64{}, Labels: trainingset.Balance{}}, totals)
	require.True(t, totals.Accounted())
}

func TestTotalsSumUpEveryBatch(t *testing.T) {
	t.Parallel()
	b := setup(t)
	entries := b.threeEntries()
	b.commit(t, entries...)
	require.Equal(t, Totals{
		Batches: 3, Received: 157, Written: 138, Duplicate: 11, Conflict: 1, Rejected: 8, Candidates: 120,
		Newest: entries[1].newest.UTC(), LastCommit: b.now.Add(-time.Minute),
		RejectedByReason: map[string]int64{"out_of_range": 7, "missing": 1},
		Labels:           trainingset.Balance{"wan": {HDE: 70, AMST: 10}, "dc": {AMST: 30}, "edge": {HDE: 28}},
	}, b.totals(t))
}

func TestBatchThatWroteNothingMayHoldNullForItsCounts(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.commit(t, entry{received: 3, duplicate: 3, labels: `null`, reasons: `null`},
		entry{received: 1, rejected: 1, labels: `{}`, reasons: `{"missing": 1}`})
	totals := b.totals(t)
	require.EqualValues(t, 4, totals.Received)
	require.Equal(t, map[string]int64{"missing": 1}, totals.RejectedByReason)
	require.Empty(t, totals.Labels)
}

func TestSinceIsWhatHappenedBetweenTwoReadings(t *testing.T) {
	t.Parallel()
	b := setup(t)
	entries := b.threeEntries()
	b.commit(t, entries[0])
	earlier := b.totals(t)
	b.commit(t, entries[1:]...)
	require.Equal(t, Totals{
		Batches: 2, Received: 57, Written: 48, Duplicate: 7, Rejected: 2, Candidates: 40,
		Newest: entries[1].newest.UTC(), LastCommit: b.now.Add(-time.Minute),
		RejectedByReason: map[string]int64{"out_of_range": 2},
		Labels:           trainingset.Balance{"wan": {HDE: 20}, "edge": {HDE: 28}},
	}, b.totals(t).Since(earlier))
}

func TestNothingHappenedBetweenEqualReadings(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.commit(t, b.threeEntries()...)
	totals := b.totals(t)
	nothing := totals.Since(totals)
	require.Equal(t, Totals{Newest: totals.Newest, LastCommit: totals.LastCommit,
		RejectedByReason: map[string]int64{}, Labels: trainingset.Balance{}}, nothing)
}

func TestSinceLeavesBothReadingsAsTheyWere(t *testing.T) {
	t.Parallel()
	earlier := Totals{Labels: trainingset.Balance{"dc": {HDE: 1}}, RejectedByReason: map[string]int64{"missing": 1}}
	later := Totals{Labels: trainingset.Balance{"dc": {HDE: 5}}, RejectedByReason: map[string]int64{"missing": 2}}
	require.Equal(t, trainingset.Balance{"dc": {HDE: 4}}, later.Since(earlier).Labels)
	require.Equal(t, trainingset.Balance{"dc": {HDE: 5}}, later.Labels)
	require.Equal(t, map[string]int64{"missing": 1}, earlier.RejectedByReason)
}

func TestWhatACorrectionTookAwayIsNegative(t *testing.T) {
	t.Parallel()
	earlier := Totals{Written: 5, Labels: trainingset.Balance{"dc": {HDE: 3}, "wan": {AMST: 2}}, RejectedByReason: map[string]int64{"missing": 1}}
	now := Totals{Written: 3, Labels: trainingset.Balance{"dc": {AMST: 3}}, RejectedByReason: map[string]int64{}}
	require.Equal(t, Totals{Written: -2,
		Labels:           trainingset.Balance{"dc": {HDE: -3, AMST: 3}, "wan": {AMST: -2}},
		RejectedByReason: map[string]int64{"missing": -1},
	}, now.Since(earlier))
}

func TestEveryDecisionReceivedMustBeAccountedFor(t *testing.T) {
	t.Parallel()
	require.True(t, Totals{Received: 6, Written: 3, Duplicate: 2, Rejected: 1}.Accounted())
	require.False(t, Totals{Received: 7, Written: 3, Duplicate: 2, Rejected: 1}.Accounted())
	require.False(t, Totals{Received: 6, Written: 7}.Accounted())
}

func TestLedgerThatIsNotThereIsSaidSo(t *testing.T) {
	t.Parallel()
	conn := pgtest.Connect(t, pgtest.EmptyDatabase(t))
	_, err := ReadTotals(t.Context(), conn)
	require.ErrorIs(t, err, ErrNotMigrated)
	require.ErrorContains(t, err, "sum up the load ledger: the database holds no load ledger of this version; `dwcp-telemetry migrate up` makes it")
	_, err = ReadStatus(t.Context(), conn, DefaultGoal())
	require.ErrorIs(t, err, ErrNotMigrated)
}

func TestErrorsKeepTheirCause(t *testing.T) {
	t.Parallel()
	b := setup(t)
	require.NoError(t, b.admin.Close(t.Context()))
	_, err := ReadTotals(t.Context(), b.admin)
	require.ErrorContains(t, err, "sum up the load ledger: ")
	require.NotErrorIs(t, err, ErrNotMigrated)
}

func TestTotalsAreNamedInJSONAsInTheLedger(t *testing.T) {
	t.Parallel()
	encoded, err := json.Marshal(Totals{Received: 1, Rejected: 1, RejectedByReason: map[string]int64{"missing": 1}, Labels: trainingset.Balance{}})
	require.NoError(t, err)
	require.JSONEq(t, `{"batches":0,"received":1,"written":0,"duplicate":0,"conflict":0,"rejected":1,"removed":0,"candidates":0,
		"rejected_by_reason":{"missing":1},"labels":{}}`, string(encoded))
}

// A correcting row tells what left the table. It is no batch, nothing came with
// it, and it is not what happened last.
func TestCorrectingRowsAreSubtractedFromWhatTheTableHolds(t *testing.T) {
	t.Parallel()
	b := setup(t)
	entries := b.threeEntries()
	b.commit(t, entries...)
	b.exec(t, `INSERT INTO compression_telemetry_batches (kind, received, written, duplicate, conflict, rejected, removed, candidates, labels, rejected_by_reason)
		VALUES ('retention', 0, 0, 0, 0, 0, 58, -50, '{"wan": {"HDE": -20, "AMST": -10}, "edge": {"HDE": -28}}', '{}'),
		       ('relabel', 0, 0, 0, 0, 0, 0, 2, '{"dc": {"HDE": 3, "AMST": -3}}', '{}')`)
	totals := b.totals(t)
	require.Equal(t, Totals{
		Batches: 3, Received: 157, Written: 138, Duplicate: 11, Conflict: 1, Rejected: 8, Removed: 58, Candidates: 72,
		Newest: entries[1].newest.UTC(), LastCommit: b.now.Add(-time.Minute),
		RejectedByReason: map[string]int64{"out_of_range": 7, "missing": 1},
		Labels:           trainingset.Balance{"wan": {HDE: 50}, "dc": {HDE: 3, AMST: 27}},
	}, totals)
	require.True(t, totals.Accounted())
	require.EqualValues(t, 80, totals.InTable())
	status := b.status(t)
	require.Equal(t, Recent{Written: 48, Candidates: 40, Rejected: 2, Duplicate: 7}, status.LastDay, "what was removed today was not loaded today")
}
