package partitions

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
)

// Whatever step the maintainer dies at, the next round completes what it began,
// and the ledger tells each row that went once.
func TestACrashAtAnyStepIsMendedByTheNextRound(t *testing.T) {
	t.Parallel()
	for _, step := range []string{"lock", "mark", "detach", "count", "dropped, not committed", "drop", "trim", "purge", "fold"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.load(t, b.now.Add(-200*day), time.Minute, 50)
			b.exec(t, "CREATE TABLE around PARTITION OF compression_telemetry FOR VALUES FROM ('"+b.now.Add(-92*day).Format(time.RFC3339)+"') TO ('"+b.now.Add(-88*day).Format(time.RFC3339)+"')")
			b.exec(t, "ALTER TABLE around OWNER TO dwcp_owner")
			b.load(t, b.now.Add(-91*day), time.Hour, 40)
			b.load(t, b.now.Add(-60*time.Hour), time.Hour, 10)
			b.exec(t, "UPDATE compression_telemetry_batches SET committed_at = date_trunc('hour', now()) - interval '5 hours' + id * interval '1 minute'")
			b.exec(t, "INSERT INTO compression_telemetry_rejected (digest, received_at, reason) SELECT i::text::bytea, now() - interval '91 days', 'missing' FROM generate_series(1, 9) i")
			conn := b.login(t, "dwcp_maintainer")
			k := keeper(Defaults())
			k.batchRows = 5
			died := false
			k.after = func(at, _ string) {
				if at == step && !died {
					died = true
					assert.True(t, value[bool](t, b.admin, "SELECT pg_terminate_backend($1, 5000)", conn.PgConn().PID()))
				}
			}
			_, err := k.Run(t.Context(), conn)
			require.True(t, died, "the step was reached")
			require.Error(t, err)
			k.after = func(string, string) {}
			b.run(t, k)
			require.LessOrEqual(t, b.rows(t), 26)
			require.GreaterOrEqual(t, b.rows(t), 25)
			require.Zero(t, value[int](t, b.admin, "SELECT count(*) FROM compression_telemetry_rejected"))
			require.NotContains(t, b.names(t), b.now.Add(-200*day).Format("200601")+" detached")
			b.requireTrueLedger(t)
		})
	}
}

// reader is an export under way: one snapshot, which has read the first row.
func (b *testBundle) reader(t testing.TB) pgx.Tx {
	t.Helper()
	tx, err := pgtest.Connect(t, b.url).BeginTx(t.Context(), pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), "DECLARE export CURSOR FOR SELECT event_id FROM compression_telemetry ORDER BY timestamp; FETCH 1 FROM export")
	require.NoError(t, err)
	return tx
}

func TestALongExportReadsToItsEndAndIsWaitedForInTheNextRounds(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.load(t, b.now.Add(-200*day), time.Minute, 50)
	b.load(t, b.now.Add(-160*day), time.Minute, 50)
	b.load(t, b.now.Add(-time.Hour), time.Second, 10)
	export := b.reader(t)
	k := keeper(Defaults())
	k.detachWait = 200 * time.Millisecond

	report := b.run(t, k)
	require.Len(t, report.Postponed, 2, "the second waits for the first")
	require.Contains(t, report.Postponed[0], "detach the partition "+month(b.now.Add(-200*day))+", CONCURRENTLY")
	require.Contains(t, report.Postponed[1], "first "+month(b.now.Add(-200*day)))
	require.Contains(t, b.names(t), b.now.Add(-200*day).Format("200601")+" detach pending")
	require.Equal(t, 60, b.rows(t), "nobody new sees what is being detached")

	report = b.run(t, k)
	require.Contains(t, report.Postponed[0], "FINALIZE")
	require.Equal(t, 110, value[int](t, export, "SELECT count(*) FROM compression_telemetry"), "the export still sees all")
	tag, err := export.Exec(t.Context(), "FETCH ALL FROM export")
	require.NoError(t, err)
	require.EqualValues(t, 109, tag.RowsAffected())
	require.NoError(t, export.Commit(t.Context()))

	report = b.run(t, k)
	require.Empty(t, report.Postponed)
	require.Len(t, report.Dropped, 2)
	require.Equal(t, 10, b.rows(t))
	b.requireTrueLedger(t)
}

// The kill comes while DETACH waits for the export: between its two transactions.
func TestACrashWithinADetachIsFinalized(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.load(t, b.now.Add(-200*day), time.Minute, 50)
	export := b.reader(t)
	conn := b.login(t, "dwcp_maintainer")
	pid := conn.PgConn().PID()
	var run sync.WaitGroup
	run.Go(func() {
		_, err := keeper(Defaults()).Run(context.Background(), conn)
		assert.ErrorContains(t, err, "57P01")
	})
	require.Eventually(t, func() bool {
		return value[bool](t, b.admin, "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1 AND wait_event_type = 'Lock' AND query LIKE '%CONCURRENTLY')", pid)
	}, time.Minute, 10*time.Millisecond)
	// Whoever writes meanwhile does not wait, not even for a new partition.
	writer := b.login(t, "dwcp_writer")
	_, err := writer.Exec(t.Context(), "SET lock_timeout = '2s'")
	require.NoError(t, err)
	_, err = Ensure(t.Context(), writer, b.now, Month)
	require.NoError(t, err)
	require.NoError(t, writeBatch(t.Context(), writer, b.now))
	require.True(t, value[bool](t, b.admin, "SELECT pg_terminate_backend($1, 5000)", pid))
	run.Wait()
	require.Equal(t, []string{b.now.Add(-200*day).Format("200601") + " detach pending"}, b.names(t)[:1])
	_, err = Ensure(t.Context(), b.admin, b.now.Add(-200*day), Month)
	require.ErrorContains(t, err, "is being detached")
	require.NoError(t, export.Commit(t.Context()))
	require.Len(t, b.run(t, keeper(Defaults())).Dropped, 1)
	b.requireTrueLedger(t)
	require.Equal(t, month(b.now.Add(-200*day)), b.ensure(t, b.now.Add(-200*day), Month), "and may be made anew")
}
