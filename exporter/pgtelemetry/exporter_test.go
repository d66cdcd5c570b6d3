package pgtelemetry

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
	"github.com/novacron/dwcp-telemetry/migrations"
)

func TestEveryValueOfEveryFieldIsWritten(t *testing.T) {
	t.Parallel()
	b := setup(t)
	full := b.fresh(2)
	bare := decision.Decision{ // nothing that is optional
		Timestamp: full[1].Timestamp, VMID: full[1].VMID, RequestID: "r", LinkType: decision.Edge, Region: "é", NetworkTier: 1,
		BandwidthAvailableMbps: 1e12, PayloadBytes: 1 << 53, PayloadType: "x", EventID: full[1].EventID,
		OracleAlgorithm: decision.Some(decision.AMST), OracleUtilityScore: decision.Some(0.1), VMKeyID: decision.Some("k1"),
	}
	b.push(t, full[0], bare)
	b.requireStored(t, full[0], bare)
	require.Equal(t, ledger{received: 2, written: 2}, b.ledger(t))
}

func TestTheLedgerTellsLabelsCandidatesAndTheNewest(t *testing.T) {
	t.Parallel()
	b := setup(t)
	rows := b.fresh(3)
	rows[0].TrainingCandidate = decision.Some(true)
	rows[1].LinkType, rows[1].OracleAlgorithm = decision.DC, decision.Some(decision.AMST)
	b.push(t, rows...)
	var labels map[string]map[string]int
	var newest time.Time
	require.NoError(t, b.admin.QueryRow(t.Context(), "SELECT labels, newest FROM compression_telemetry_batches").Scan(&labels, &newest))
	require.Equal(t, map[string]map[string]int{"wan": {"HDE": 2}, "dc": {"AMST": 1}}, labels)
	require.True(t, rows[0].Timestamp.Equal(newest))
	require.Equal(t, 1, b.ledger(t).candidates)
}

func TestTheLedgerTellsHowManyOfEachRecorderCame(t *testing.T) {
	t.Parallel()
	b := setup(t)
	rows := b.fresh(8)
	one, two := decision.UUID{0: 1, 15: 1}, decision.UUID{0: 2, 15: 2}
	for i := range rows {
		rows[i].RecorderID, rows[i].RecorderSequence = decision.Some(one), decision.Some(int64(i+1))
	}
	rows[3].RecorderID, rows[3].RecorderSequence = decision.Some(two), decision.Some(int64(40))
	rows[4].RecorderSequence = decision.Opt[int64]{}   // does not say its number
	rows[5].RecorderID = decision.Opt[decision.UUID]{} // nor its Recorder
	rows[7].NetworkTier = 9                            // is rejected
	b.push(t, rows[:3]...)
	b.push(t, rows[1:]...) // merged: the first two are there already
	b.push(t, rows...)     // a resend counts for nothing
	type counted map[string]recorded
	all, err := b.admin.Query(t.Context(), "SELECT recorders FROM compression_telemetry_batches ORDER BY id")
	require.NoError(t, err)
	got, err := pgx.CollectRows(all, pgx.RowTo[counted])
	require.NoError(t, err)
	require.Equal(t, []counted{
		{one.String(): {Count: 3, Last: 3}},
		{one.String(): {Count: 2, Last: 8}, two.String(): {Count: 1, Last: 40}},
		{},
	}, got)
}

func TestReplayWritesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	rows := b.fresh(50)
	b.push(t, rows...)
	b.push(t, rows...)
	b.requireStored(t, rows...)
	require.Equal(t, ledger{received: 100, written: 50, duplicate: 50}, b.ledger(t))
}

func TestAReplayInOtherBatchesAddsOnlyWhatIsNew(t *testing.T) {
	t.Parallel()
	b := setup(t)
	rows := b.fresh(60)
	b.push(t, rows[:40]...)
	b.push(t, rows[20:]...)
	b.requireStored(t, rows...)
	require.Equal(t, ledger{received: 80, written: 60, duplicate: 20}, b.ledger(t))
}

func TestTheSameIDWithOtherContentIsAConflictAndTheFirstWins(t *testing.T) {
	t.Parallel()
	b := setup(t)
	rows := b.fresh(3)
	b.push(t, rows...)
	again := []decision.Decision{rows[0], rows[1], rows[2]}
	again[0].RTTMillis++                                  // a conflict
	again[1].OracleUtilityScore.Value++                   // relabelled: none
	again[2].HDELatencyMillis = decision.Opt[float64]{}   // a conflict by NULL
	again[1].VMKeyID = decision.Some("k2")                // another key: none
	again[1].RecorderID = decision.Some(again[1].EventID) // replayed: none
	b.push(t, again...)
	b.requireStored(t, rows...)
	require.Equal(t, ledger{received: 6, written: 3, duplicate: 3, conflict: 2}, b.ledger(t))
}

func TestAnotherVMUnderTheSameIDAndKeyIsAConflictInABatchAsInTheTable(t *testing.T) {
	t.Parallel()
	for name, together := range map[string]bool{"together": true, "apart": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			row := b.fresh(1)[0]
			other := row
			other.VMID = strings.Repeat("ab", 32)
			if together {
				b.push(t, row, other)
			} else {
				b.push(t, row)
				b.push(t, other)
			}
			require.Equal(t, ledger{received: 2, written: 1, duplicate: 1, conflict: 1}, b.ledger(t))
		})
	}
}

func TestAMonthWhosePartitionIsDetachedIsTold(t *testing.T) {
	t.Parallel()
	b := setup(t)
	rows := b.fresh(2)
	rows[1].Timestamp = rows[1].Timestamp.AddDate(0, 0, -40)
	b.push(t, rows...)
	partition := "compression_telemetry_" + rows[1].Timestamp.Format("200601")
	_, err := b.admin.Exec(t.Context(), "ALTER TABLE compression_telemetry DETACH PARTITION "+partition)
	require.NoError(t, err)
	late := b.fresh(1)[0]
	late.Timestamp = rows[1].Timestamp
	require.ErrorContains(t, b.ConsumeLogs(t.Context(), logsOf(late)), "the table "+partition+" is there but not attached")
	_, err = b.admin.Exec(t.Context(), "DROP TABLE "+partition)
	require.NoError(t, err)
	b.push(t, late)
	b.requireStored(t, rows[0], late)
}

func TestTheSameIDTwiceInOneBatchIsWrittenOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	rows := b.fresh(2)
	other := rows[1]
	other.Region = "elsewhere"
	b.push(t, rows[0], rows[1], rows[0], other)
	b.requireStored(t, rows...)
	require.Equal(t, ledger{received: 4, written: 2, duplicate: 2, conflict: 1}, b.ledger(t))
}

func TestPartitionsOfEarlierMonthsAreMadeOnDemand(t *testing.T) {
	t.Parallel()
	b := setup(t)
	rows := b.fresh(3)
	rows[1].Timestamp = rows[1].Timestamp.AddDate(0, 0, -35)
	rows[2].Timestamp = rows[2].Timestamp.AddDate(0, 0, -70)
	b.push(t, rows...)
	b.requireStored(t, rows...)
}

func TestPartitionsAreMadeAhead(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *Config) { c.Partitions.Ahead = 3 })
	b.push(t, b.fresh(1)...)
	require.Eventually(t, func() bool {
		var n int
		require.NoError(t, b.admin.QueryRow(t.Context(), "SELECT count(*) FROM pg_inherits WHERE inhparent = 'compression_telemetry'::regclass").Scan(&n))
		return n == 4
	}, time.Minute, 20*time.Millisecond)
}

func TestWhatLiesOutsideTheTablesSpanIsRejectedWithIDAndTimeOnly(t *testing.T) {
	t.Parallel()
	b := setup(t)
	rows := b.fresh(4)
	rows[1].Timestamp = b.now.Add(-91 * 24 * time.Hour).Truncate(time.Microsecond)
	rows[2].Timestamp = b.now.Add(25 * time.Hour).Truncate(time.Microsecond)
	rows[3].Timestamp = time.Date(1970, 1, 1, 0, 0, 1, 0, time.UTC)
	b.push(t, rows...)
	b.push(t, rows...)
	b.requireStored(t, rows[0])
	all := b.rejected(t)
	require.Len(t, all, 3)
	require.Equal(t, []string{"too_far_ahead", "too_old", "too_old"}, []string{all[0].Reason, all[1].Reason, all[2].Reason})
	for _, r := range all {
		require.Nil(t, r.Original)
	}
	require.Equal(t, ledger{received: 8, written: 1, rejected: 3, duplicate: 4}, b.ledger(t))
}

func TestTwoCollectorsMayWriteTheSameEventsAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	second, _ := startExporter(t, pgtest.Login(t, b.url, "dwcp_writer"))
	rows := b.fresh(400)
	var both sync.WaitGroup
	for i, e := range []exporter.Logs{b.Logs, second} {
		for from := 0; from < len(rows); from += 50 {
			start := (from + i*200) % len(rows)
			both.Go(func() {
				if err := e.ConsumeLogs(t.Context(), logsOf(rows[start:start+50]...)); err != nil {
					t.Error(err)
				}
			})
		}
	}
	both.Wait()
	b.requireStored(t, rows...)
	l := b.ledger(t)
	require.Equal(t, 400, l.written)
	require.Equal(t, l.received, l.written+l.duplicate)
}

func TestItStartsWithoutADatabaseAndWritesOnceThereIsOne(t *testing.T) {
	t.Parallel()
	url := pgtest.EmptyDatabase(t)
	login := pgtest.Login(t, url, "pg_read_all_settings")
	missing, err := pgx.ParseConfig(login)
	require.NoError(t, err)
	config := "host=" + missing.Host + " user=" + missing.User + " dbname=" + missing.Database + "_later"
	e, log := startExporter(t, config)
	b := &testBundle{Logs: e, now: time.Now().UTC()}
	rows := b.fresh(2)

	err = e.ConsumeLogs(t.Context(), logsOf(rows...))
	require.EqualError(t, err, "PostgreSQL cannot be reached (SQLSTATE 3D000)", "a sender is not told where")
	require.False(t, consumererror.IsPermanent(err))
	require.Eventually(t, func() bool { return log.FilterMessageSnippet("decisions cannot be written").Len() > 0 }, time.Minute, 10*time.Millisecond)
	require.Contains(t, log.FilterMessageSnippet("decisions cannot be written").All()[0].ContextMap()["advice"], "create the database")

	later := createLater(t, url, missing.Database+"_later")
	err = e.ConsumeLogs(t.Context(), logsOf(rows...))
	require.ErrorContains(t, err, "it does not exist")
	_, err = migrations.Up(t.Context(), later)
	require.NoError(t, err)
	admin := pgtest.Connect(t, later)
	_, err = admin.Exec(t.Context(), "GRANT dwcp_writer TO "+pgx.Identifier{missing.User}.Sanitize())
	require.NoError(t, err)
	b.admin = admin
	b.push(t, rows...)
	b.requireStored(t, rows...)
	require.NotZero(t, log.FilterMessageSnippet("takes decisions again").Len())
}

// createLater makes the database that a login already tried to use.
func createLater(t *testing.T, adminURL, name string) (url string) {
	t.Helper()
	admin, err := pgx.Connect(t.Context(), adminURL)
	require.NoError(t, err)
	quoted := pgx.Identifier{name}.Sanitize()
	_, err = admin.Exec(t.Context(), "CREATE DATABASE "+quoted)
	require.NoError(t, err)
	t.Cleanup(func() {
		_, err := admin.Exec(context.Background(), "DROP DATABASE "+quoted+" WITH (FORCE)")
		require.NoError(t, err)
		require.NoError(t, admin.Close(context.Background()))
	})
	return pgtest.Server(t).AdminURL(name)
}

func TestAMissingPrivilegeIsToldAndTheBatchKept(t *testing.T) {
	t.Parallel()
	b := setup(t)
	rows := b.fresh(1)
	b.push(t, rows...)
	_, err := b.admin.Exec(t.Context(), undisturbed("REVOKE INSERT ON compression_telemetry FROM dwcp_writer"))
	require.NoError(t, err)
	more := b.fresh(1)
	err = b.ConsumeLogs(t.Context(), logsOf(more...))
	require.ErrorContains(t, err, "42501")
	require.False(t, consumererror.IsPermanent(err))
	told := b.log.FilterMessageSnippet("decisions cannot be written").All()
	require.Contains(t, told[len(told)-1].ContextMap()["advice"], "grant the role dwcp_writer")
	_, err = b.admin.Exec(t.Context(), undisturbed("GRANT INSERT ON compression_telemetry TO dwcp_writer"))
	require.NoError(t, err)
	b.push(t, more...)
	b.requireStored(t, append(rows, more...)...)
}

// A table that changes while it is written to refuses good rows: that is the
// table's fault, not theirs.
func TestRowsAreHeldNotRejectedWhereTheTableHasChanged(t *testing.T) {
	t.Parallel()
	for name, change := range map[string][2]string{
		"column of a newer version": {"ALTER TABLE compression_telemetry ADD newer integer NOT NULL DEFAULT 1; ALTER TABLE compression_telemetry ALTER newer DROP DEFAULT",
			"ALTER TABLE compression_telemetry DROP newer"},
		"column of another type": {"DROP VIEW compression_telemetry_ml; ALTER TABLE compression_telemetry ALTER network_tier TYPE bigint",
			"ALTER TABLE compression_telemetry ALTER network_tier TYPE integer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			rows := b.fresh(3)
			b.push(t, rows[0])
			_, err := b.admin.Exec(t.Context(), change[0])
			require.NoError(t, err)
			require.ErrorContains(t, b.ConsumeLogs(t.Context(), logsOf(rows[1:]...)), "is not the one this version writes")
			require.Empty(t, b.rejected(t))
			_, err = b.admin.Exec(t.Context(), change[1])
			require.NoError(t, err)
			b.push(t, rows[1:]...)
			b.requireStored(t, rows...)
		})
	}
}
