package ledger

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
	"github.com/novacron/dwcp-telemetry/internal/partitions"
)

func nextMonth(now time.Time) time.Time {
	return time.Date(now.Year(), now.Month()+1, 1, 0, 0, 0, 0, time.UTC)
}

// makePartitions makes those of this month and of the next, as the exporter
// does ahead of time.
func (b *testBundle) makePartitions(t *testing.T) {
	t.Helper()
	b.exec(t, "SELECT ensure_partition($1), ensure_partition($2)", b.now, nextMonth(b.now))
}

func TestRecentBatchesAreThoseOfTheLastHourAndDay(t *testing.T) {
	t.Parallel()
	b := setup(t)
	entries := b.threeEntries()
	entries[2] = entry{age: time.Minute, received: 5, written: 5, candidate: 4, labels: `{}`, reasons: `{}`}
	b.commit(t, entries...)
	status := b.status(t)
	require.Equal(t, Recent{Written: 5, Candidates: 4}, status.LastHour)
	require.Equal(t, Recent{Written: 53, Candidates: 44, Rejected: 2}, status.LastDay)
	require.Equal(t, b.totals(t), status.Totals)
}

func TestAgeOfTheNewestDecisionIsByTheDatabasesClock(t *testing.T) {
	t.Parallel()
	b := setup(t)
	require.Nil(t, b.status(t).NewestAgeSeconds)
	entries := b.threeEntries()
	b.commit(t, entries...)
	status := b.status(t)
	require.False(t, status.Now.Before(b.now))
	require.NotNil(t, status.NewestAgeSeconds)
	require.InDelta(t, status.Now.Sub(*entries[1].newest).Seconds(), *status.NewestAgeSeconds, 1e-6)
	require.GreaterOrEqual(t, *status.NewestAgeSeconds, 90.0)
}

func TestPartitionsAreListedWithBoundsAndSize(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.makePartitions(t)
	b.exec(t, `INSERT INTO compression_telemetry (timestamp, event_id, vm_id, request_id, link_type, region, network_tier,
		bandwidth_available_mbps, bandwidth_utilization, rtt_ms, payload_size, payload_type, has_baseline, oracle_algorithm, oracle_utility_score)
		SELECT $1, gen_random_uuid(), 'vm', 'r', 'wan', 'eu', 1, 1, 1, 1, 1, 'x', true, 'HDE', 1 FROM generate_series(1, 100)`, b.now)
	b.exec(t, "ANALYZE compression_telemetry")
	month := time.Date(b.now.Year(), b.now.Month(), 1, 0, 0, 0, 0, time.UTC)
	partitions := b.status(t).Partitions
	require.Len(t, partitions, 2)
	for i, from := range []time.Time{month, nextMonth(b.now)} {
		require.Equal(t, "compression_telemetry_"+from.Format("200601"), partitions[i].Name)
		require.Equal(t, from, partitions[i].From)
		require.Equal(t, nextMonth(from), partitions[i].To)
		require.Positive(t, partitions[i].Bytes)
	}
	require.EqualValues(t, 100, partitions[0].EstimatedRows)
	require.EqualValues(t, 0, partitions[1].EstimatedRows, "never analysed, which PostgreSQL calls -1")
	require.Greater(t, partitions[0].Bytes, partitions[1].Bytes)
}

func TestBoundsDoNotDependOnTheSession(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.makePartitions(t)
	want := b.status(t).Partitions
	b.exec(t, "SET timezone = 'Asia/Kolkata'")
	b.exec(t, "SET datestyle = 'German, DMY'")
	require.Equal(t, want, b.status(t).Partitions)
}

func TestPartitionWithoutBoundsIsListed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.exec(t, "CREATE TABLE rest PARTITION OF compression_telemetry DEFAULT")
	partitions := b.status(t).Partitions
	require.Len(t, partitions, 1)
	require.Equal(t, "rest", partitions[0].Name)
	require.True(t, partitions[0].From.IsZero() && partitions[0].To.IsZero())
}

func TestMissingPartitionIsAWarningBeforeItIsNeeded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	missing := func(day time.Time) []string {
		return []string{"no partition holds " + day.Format(time.DateOnly) +
			"; the collector makes it on demand, or `dwcp-telemetry partitions run` does"}
	}
	require.Equal(t, missing(b.now), b.status(t).Warnings)
	b.exec(t, "SELECT ensure_partition($1, 'week')", b.now)
	status := b.status(t)
	require.Equal(t, missing(status.Partitions[0].To), status.Warnings)
	b.exec(t, "SELECT ensure_partition($1, 'day')", status.Partitions[0].To)
	require.Empty(t, b.status(t).Warnings)
}

func TestExpiredPartitionsThatAreStillThereAreAWarning(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.makePartitions(t)
	b.exec(t, "SELECT ensure_partition(now() - interval '200 days', 'month'), ensure_partition(now() - interval '92 days', 'day')")
	warnings := b.status(t).Warnings
	require.Len(t, warnings, 1)
	require.Contains(t, warnings[0], "2 partitions are older than "+b.now.AddDate(0, 0, -90).Format(time.DateOnly)+", by a retention of 90 days")
	longer, err := ReadStatus(t.Context(), b.admin, Goal{Retention: 400 * 24 * time.Hour})
	require.NoError(t, err)
	require.Empty(t, longer.Warnings)
}

func TestWarningsNameWhatDoesNotAddUp(t *testing.T) {
	t.Parallel()
	covering := []Partition{{From: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), State: partitions.Attached},
		{From: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2028, 1, 1, 0, 0, 0, 0, time.UTC), State: partitions.Attached}}
	status := Status{Cutoff: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Now: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC), Partitions: covering,
		Totals: Totals{Received: 10, Written: 5, Duplicate: 3, Conflict: 2, Rejected: 1}}
	require.Equal(t, []string{
		"received 10 is not written 5 + duplicate 3 + rejected 1: the ledger was changed by hand or a batch is lost",
		"2 of the duplicates came with other content under the same id; the first one was kept",
	}, status.warnings())
}

// A page that scanned the table of decisions would fail for this user.
func TestStatusNeedsTheLedgerAndNothingElse(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.makePartitions(t)
	b.commit(t, b.threeEntries()...)
	b.exec(t, "CREATE ROLE ledger_only NOLOGIN")
	t.Cleanup(func() {
		_, err := b.admin.Exec(context.Background(), "DROP OWNED BY ledger_only; DROP ROLE ledger_only")
		require.NoError(t, err)
	})
	b.exec(t, "GRANT SELECT ON compression_telemetry_batches TO ledger_only")
	b.exec(t, "GRANT EXECUTE ON FUNCTION compression_telemetry_partitions() TO ledger_only")
	login := pgtest.Connect(t, pgtest.Login(t, b.url, "ledger_only"))
	_, err := login.Exec(t.Context(), "SELECT FROM compression_telemetry")
	require.ErrorContains(t, err, "permission denied")
	status, err := ReadStatus(t.Context(), login, DefaultGoal())
	require.NoError(t, err)
	require.Equal(t, b.totals(t), status.Totals)
	require.Len(t, status.Partitions, 2)
	require.Positive(t, status.Partitions[0].Bytes)
}

func TestEveryRoleThatRunsTheCommandMayReadTheStatus(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, role := range []string{"dwcp_ml_reader", "dwcp_writer", "dwcp_maintainer"} {
		_, err := ReadStatus(t.Context(), pgtest.Connect(t, pgtest.Login(t, b.url, role)), DefaultGoal())
		require.NoError(t, err, role)
	}
}

func TestStatusIsReadThroughAPoolToo(t *testing.T) {
	t.Parallel()
	b := setup(t)
	pool, err := pgxpool.New(context.Background(), b.url)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	_, err = ReadStatus(t.Context(), pool, DefaultGoal())
	require.NoError(t, err)
}

func TestStatusSurvivesJSON(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.commit(t, b.threeEntries()...)
	b.makePartitions(t)
	status := b.status(t)
	encoded, err := json.Marshal(status)
	require.NoError(t, err)
	var again Status
	require.NoError(t, json.Unmarshal(encoded, &again))
	for i := range status.Partitions { // what is not told of a partition stays behind
		require.Equal(t, status.Partitions[i].Name, again.Partitions[i].Name)
		require.Equal(t, status.Partitions[i].To, again.Partitions[i].To)
	}
	status.Partitions, again.Partitions = nil, nil
	require.Equal(t, status, again)
}
