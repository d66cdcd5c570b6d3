package partitions

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// writers write batches as the exporter does, COPY and a row of the ledger in
// one transaction, until stop is called.
type writers struct {
	running sync.WaitGroup
	stopped atomic.Bool
	batches atomic.Int64
	longest atomic.Int64 // ns
}

const (
	writersName = "the writers of a test"
	batchSize   = 100
)

var copied = []string{"timestamp", "event_id", "vm_id", "request_id", "link_type", "region", "network_tier", "bandwidth_available_mbps",
	"bandwidth_utilization", "rtt_ms", "payload_size", "payload_type", "has_baseline", "oracle_algorithm", "oracle_utility_score", "is_training_candidate"}

func (b *testBundle) startWriters(t testing.TB, n int) *writers {
	t.Helper()
	w := &writers{}
	for range n {
		conn := b.login(t, "dwcp_writer")
		_, err := conn.Exec(t.Context(), "SET application_name = '"+writersName+"'")
		require.NoError(t, err)
		w.running.Go(func() {
			for !w.stopped.Load() {
				began := time.Now()
				if !assert.NoError(t, writeBatch(t.Context(), conn, b.now)) {
					return
				}
				if took := time.Since(began).Nanoseconds(); took > w.longest.Load() {
					w.longest.Store(took)
				}
				w.batches.Add(1)
			}
		})
	}
	return w
}

func writeBatch(ctx context.Context, conn *pgx.Conn, at time.Time) error {
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		_, err := tx.CopyFrom(ctx, pgx.Identifier{"compression_telemetry"}, copied, pgx.CopyFromSlice(batchSize, func(int) ([]any, error) {
			return []any{at, [16]byte(uuid.Must(uuid.NewV7())), "vm", "r", "wan", "eu", 1, 1.0, 1.0, 1.0, 1, "x", true, "HDE", 1.0, true}, nil
		}))
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO compression_telemetry_batches (received, written, duplicate, conflict, rejected, candidates, newest, labels, rejected_by_reason)
			VALUES ($1::bigint, $1::bigint, 0, 0, 0, $1::bigint, $2, jsonb_build_object('wan', jsonb_build_object('HDE', $1::bigint)), '{}')`, batchSize, at)
		return err
	})
}

func (w *writers) stop() {
	w.stopped.Store(true)
	w.running.Wait()
}

// watch looks again and again whether a writer waits for a lock that somebody
// else than a writer holds, until it is stopped, and counts.
func (b *testBundle) watch(t testing.TB) (stop func() (looks, waits int)) {
	t.Helper()
	conn := b.login(t, "pg_monitor")
	var stopped atomic.Bool
	var running sync.WaitGroup
	var looks, waits int
	running.Go(func() {
		for !stopped.Load() {
			var waiting int
			err := conn.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_activity AS waiter,
				LATERAL (SELECT FROM unnest(pg_blocking_pids(waiter.pid)) AS blocking (pid) JOIN pg_stat_activity AS blocker USING (pid)
					WHERE blocker.application_name <> waiter.application_name LIMIT 1) AS by_others
				WHERE waiter.application_name = $1 AND waiter.wait_event_type = 'Lock' AND waiter.datname = current_database()`, writersName).Scan(&waiting)
			if !assert.NoError(t, err) {
				return
			}
			looks++
			waits += waiting
			time.Sleep(time.Millisecond)
		}
	})
	return func() (int, int) {
		stopped.Store(true)
		running.Wait()
		return looks, waits
	}
}

// muchToDo fills a database with all that maintenance deals with.
func (b *testBundle) muchToDo(t testing.TB) {
	t.Helper()
	for i := range 20 { // expired days
		b.ensure(t, b.now.Add(-time.Duration(100+i)*day), Day)
		b.load(t, b.now.Add(-time.Duration(100+i)*day), time.Millisecond, 500)
	}
	around := b.now.Add(-90*day - 12*time.Hour)
	b.exec(t, "CREATE TABLE around PARTITION OF compression_telemetry FOR VALUES FROM ('"+around.Format(time.RFC3339)+"') TO ('"+around.Add(day).Format(time.RFC3339)+"')")
	b.exec(t, "ALTER TABLE around OWNER TO dwcp_owner")
	b.load(t, around.Add(time.Hour), 100*time.Millisecond, 20_000)
	b.exec(t, "UPDATE compression_telemetry_batches SET committed_at = now() - interval '5 hours'")
}

func TestWritersNeitherFailNorWaitForMaintenance(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.muchToDo(t)
	_, err := EnsureAhead(t.Context(), b.admin, Defaults())
	require.NoError(t, err)
	w := b.startWriters(t, 2)
	require.Eventually(t, func() bool { return w.batches.Load() > 20 }, time.Minute, time.Millisecond)
	alone := time.Duration(w.longest.Swap(0))
	stop := b.watch(t)

	// A reader keeps the first partition from being detached, so that finishing an
	// interrupted detach is among what they write beside.
	export := b.reader(t)
	k := keeper(Settings{Period: Day, Ahead: 75, Retention: 90 * day})
	k.detachWait = 100 * time.Millisecond
	k.batchRows = 500
	require.NotEmpty(t, b.run(t, k).Postponed)
	require.NoError(t, export.Commit(t.Context()))
	k.detachWait = 10 * time.Second
	report := b.run(t, k)
	require.Empty(t, report.Postponed)
	require.Len(t, report.Dropped, 20)
	require.NotEmpty(t, value[int](t, b.admin, "SELECT count(*) FROM compression_telemetry_partitions() WHERE lower > now() + interval '70 days'"))

	looks, waits := stop()
	w.stop()
	require.Greater(t, looks, 20)
	require.Zero(t, waits, "of %d looks", looks)
	require.Greater(t, w.batches.Load(), int64(40))
	require.Less(t, time.Duration(w.longest.Load()), 5*time.Second) // a busy machine is no stall
	t.Logf("%d batches of %d; the longest took %s beside maintenance, %s without; %d looks found no wait for a lock",
		w.batches.Load(), batchSize, time.Duration(w.longest.Load()), alone, looks)
	b.requireTrueLedger(t)
}

// BenchmarkWrite writes batches of 100, alone and beside maintenance that always
// has something to do; the longest one is what a writer might call a stall.
func BenchmarkWrite(b *testing.B) {
	for _, beside := range []bool{false, true} {
		name := map[bool]string{false: "alone", true: "beside maintenance"}[beside]
		b.Run(name, func(b *testing.B) {
			bundle := setup(b)
			_, err := EnsureAhead(b.Context(), bundle.admin, Defaults())
			require.NoError(b, err)
			ctx, cancel := context.WithCancel(b.Context())
			var running sync.WaitGroup
			if beside {
				conn := bundle.login(b, "dwcp_maintainer")
				running.Go(func() {
					for ctx.Err() == nil {
						bundle.muchToDo(b)
						_, err := keeper(Defaults()).Run(context.WithoutCancel(ctx), conn)
						assert.NoError(b, err)
						_, err = bundle.admin.Exec(context.WithoutCancel(ctx), "DROP TABLE around")
						assert.NoError(b, err)
					}
				})
			}
			conn := bundle.login(b, "dwcp_writer")
			var longest time.Duration
			for b.Loop() {
				began := time.Now()
				require.NoError(b, writeBatch(b.Context(), conn, bundle.now))
				longest = max(longest, time.Since(began))
			}
			cancel()
			running.Wait()
			b.ReportMetric(longest.Seconds()*1000, "longest-ms")
		})
	}
}

// BenchmarkTrim deletes 100,000 rows of the tail, pauses included.
func BenchmarkTrim(b *testing.B) {
	const rows = 100_000
	for b.Loop() {
		b.StopTimer()
		bundle := setup(b)
		from := bundle.now.Add(-92 * day)
		bundle.exec(b, "CREATE TABLE around PARTITION OF compression_telemetry FOR VALUES FROM ('"+from.Format(time.RFC3339)+"') TO ('"+from.Add(4*day).Format(time.RFC3339)+"')")
		bundle.exec(b, "ALTER TABLE around OWNER TO dwcp_owner")
		bundle.load(b, from.Add(time.Hour), time.Millisecond, rows)
		conn := bundle.login(b, "dwcp_maintainer")
		b.StartTimer()
		report, err := New(Defaults()).Run(b.Context(), conn)
		require.NoError(b, err)
		require.EqualValues(b, rows, report.Trimmed)
	}
	b.ReportMetric(float64(rows*b.N)/b.Elapsed().Seconds(), "rows/s")
}
