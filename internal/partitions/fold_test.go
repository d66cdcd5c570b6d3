package partitions

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// sums are all that anybody adds up over the ledger.
const sums = `SELECT jsonb_build_object(
	'batches', coalesce(sum(batches), 0), 'received', coalesce(sum(received), 0), 'written', coalesce(sum(written), 0),
	'duplicate', coalesce(sum(duplicate), 0), 'conflict', coalesce(sum(conflict), 0), 'rejected', coalesce(sum(rejected), 0),
	'removed', coalesce(sum(removed), 0), 'candidates', coalesce(sum(candidates), 0),
	'newest', max(newest), 'last load', max(committed_at) FILTER (WHERE kind = 'load'),
	'by kind', (SELECT jsonb_object_agg(kind, n) FROM (SELECT kind, jsonb_build_array(sum(batches), sum(removed), sum(candidates)) AS n FROM ledger GROUP BY 1) AS k),
	'labels', (SELECT jsonb_object_agg(key, n) FROM (SELECT link.key || ' ' || label.key AS key, sum(label.value::bigint) AS n
		FROM ledger, jsonb_each(CASE jsonb_typeof(labels) WHEN 'object' THEN labels ELSE '{}' END) AS link, jsonb_each_text(link.value) AS label GROUP BY 1) AS l),
	'reasons', (SELECT jsonb_object_agg(key, n) FROM (SELECT reason.key, sum(reason.value::bigint) AS n
		FROM ledger, jsonb_each_text(rejected_by_reason) AS reason GROUP BY 1) AS r))
	FROM ledger`

const recorders = `SELECT coalesce(jsonb_object_agg(key, n), '{}') FROM (
	SELECT each.key, jsonb_build_array(sum((each.value ->> 'count')::bigint), max((each.value ->> 'last')::bigint)) AS n
	FROM ledger, jsonb_each(recorders) AS each GROUP BY 1) AS r`

const (
	all     = "WITH ledger AS (SELECT * FROM compression_telemetry_batches) "
	younger = "WITH ledger AS (SELECT * FROM compression_telemetry_batches WHERE committed_at >= $1) "
)

// anEntry inserts a row of the ledger as the exporter, retention, forget or
// relabel might, committed at a moment.
func (b *testBundle) anEntry(t testing.TB, conn *pgx.Conn, random *rand.Rand, at time.Time) {
	t.Helper()
	n := func(below int64) int64 { return random.Int64N(below) }
	kind := []string{"load", "load", "load", "load", "retention", "forget", "relabel"}[n(7)]
	var written, duplicate, rejected, removed, candidates int64
	var labels string
	reasons, who := "{}", "{}"
	link, label := []string{"dc", "wan", "edge"}[n(3)], []string{"HDE", "AMST"}[n(2)]
	switch kind {
	case "load":
		written, duplicate, rejected = n(5000), n(50), n(20)
		candidates = n(written + 1)
		labels = []string{fmt.Sprintf(`{%q: {%q: %d}}`, link, label, written), "null"}[n(10)/9]
		reasons = fmt.Sprintf(`{"out_of_range": %d}`, rejected)
		who = fmt.Sprintf(`{"recorder-%d": {"count": %d, "last": %d}}`, n(4), written, n(1_000_000))
	case "relabel":
		candidates = n(7) - 3
		labels = `{"wan": {"HDE": 2, "AMST": -2}}`
	default:
		removed, candidates = n(5000), -n(100)
		labels = fmt.Sprintf(`{%q: {%q: %d}}`, link, label, -removed)
	}
	_, err := conn.Exec(t.Context(), `INSERT INTO compression_telemetry_batches (committed_at, kind, received, written, duplicate, conflict, rejected,
		removed, candidates, newest, labels, rejected_by_reason, recorders) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		at, kind, written+duplicate+rejected, written, duplicate, duplicate/2, rejected, removed, candidates, at.Add(-time.Minute), labels, reasons, who)
	assert.NoError(t, err)
}

func TestFoldingChangesNoSum(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	b := setup(t)
	steps := []time.Duration{0, 20 * time.Minute, time.Hour, 30 * day, 89 * day, 91 * day, 92 * day}
	for n := 0; n < 400; {
		age := time.Duration(random.Int64N(int64(10 * time.Hour)))
		if random.IntN(3) == 0 {
			age = time.Duration(random.Int64N(int64(100 * day)))
		}
		if slices.ContainsFunc(steps, func(later time.Duration) bool { return (age - 90*day + later).Abs() < 2*time.Minute }) {
			continue // the border of what is kept moves while the test runs
		}
		b.anEntry(t, b.admin, random, b.now.Add(-age))
		n++
	}
	before := value[string](t, b.admin, all+sums)
	// Seen from later and later moments; by the last one all is older than the
	// retention.
	rows := 400
	for _, later := range steps {
		k := keeper(Defaults())
		k.later, k.batchRows = later, 2+random.IntN(60)
		cutoff := b.now.Add(later - 90*day + time.Minute)
		kept := value[string](t, b.admin, younger+recorders, cutoff)
		report := b.run(t, k)
		rows -= int(report.Folded)
		require.Equal(t, rows, value[int](t, b.admin, "SELECT count(*) FROM compression_telemetry_batches"))
		require.JSONEq(t, before, value[string](t, b.admin, all+sums), "%s later", later)
		require.JSONEq(t, kept, value[string](t, b.admin, younger+recorders, cutoff), "%s later", later)
		require.Zero(t, b.run(t, k).Folded, "there is nothing left to fold")
	}
	require.LessOrEqual(t, rows, 4, "one total of each kind")
	require.Equal(t, "{}", value[string](t, b.admin, all+recorders), "the Recorders of that time are gone")
}

func TestAnHourBecomesOneRowOfEachKindAndTheLastHourStaysExact(t *testing.T) {
	t.Parallel()
	b := setup(t)
	random := rand.New(rand.NewPCG(1, 2))
	full := b.now.Truncate(time.Hour).Add(-2 * time.Hour)
	for i := range 40 {
		b.anEntry(t, b.admin, random, full.Add(time.Duration(i)*time.Minute))
		b.anEntry(t, b.admin, random, b.now.Add(-time.Duration(i)*time.Minute))
	}
	recent := value[int](t, b.admin, "SELECT count(*) FROM compression_telemetry_batches WHERE committed_at >= $1", full.Add(time.Hour))
	kinds := value[int](t, b.admin, "SELECT count(DISTINCT kind) FROM compression_telemetry_batches WHERE committed_at < $1", full.Add(time.Hour))
	b.run(t, keeper(Defaults()))
	require.Equal(t, recent, value[int](t, b.admin, "SELECT count(*) FROM compression_telemetry_batches WHERE committed_at >= $1", full.Add(time.Hour)))
	require.Equal(t, kinds, value[int](t, b.admin, "SELECT count(*) FROM compression_telemetry_batches WHERE committed_at < $1", full.Add(time.Hour)))
}

// While several fold at once, more than the lock of maintenance allows, and
// others insert, no reader ever sees a row twice or not at all.
func TestFoldingBesideOthersIsSeenByNobody(t *testing.T) {
	t.Parallel()
	b := setup(t)
	old := b.now.Add(-5 * time.Hour)
	insert := func(conn *pgx.Conn, at time.Time) {
		_, err := conn.Exec(t.Context(), `INSERT INTO compression_telemetry_batches (committed_at, received, written, duplicate, conflict, rejected, candidates, labels, rejected_by_reason)
			VALUES ($1, 1, 1, 0, 0, 0, 1, '{"wan": {"HDE": 1}}', '{}')`, at)
		assert.NoError(t, err)
	}
	for range 200 {
		insert(b.admin, old)
	}
	var inserted, folded atomic.Int64
	inserted.Store(200)
	stop := make(chan struct{})
	running := func() bool {
		select {
		case <-stop:
			return false
		default:
			return true
		}
	}
	var all sync.WaitGroup
	for range 2 { // inserters, some of them late
		conn := b.login(t, "dwcp_writer")
		all.Go(func() {
			for range 150 {
				insert(conn, old)
				inserted.Add(1)
			}
		})
	}
	for range 3 { // folders, without the lock
		conn := b.login(t, "dwcp_maintainer")
		_, err := conn.Exec(t.Context(), "SET ROLE dwcp_owner")
		require.NoError(t, err)
		k := keeper(Defaults())
		k.batchRows = 7
		all.Go(func() {
			for running() {
				r := &round{Keeper: k, conn: conn, report: &Report{Now: b.now, Cutoff: b.now.Add(-90 * day)}}
				if !assert.NoError(t, r.fold(t.Context())) {
					return
				}
				folded.Add(r.report.Folded)
			}
		})
	}
	reader := b.login(t, "dwcp_ml_reader")
	looks := 0
	require.Eventually(t, func() bool {
		least := inserted.Load()
		seen := value[int64](t, reader, "SELECT sum(written) FROM compression_telemetry_batches")
		looks++
		require.GreaterOrEqual(t, seen, least)
		require.LessOrEqual(t, seen, inserted.Load()+2) // committed, and not counted yet
		return inserted.Load() == 500 && folded.Load() > 490 && looks > 50
	}, time.Minute, time.Millisecond)
	close(stop)
	all.Wait()
	require.Equal(t, 500, value[int](t, b.admin, "SELECT sum(written) FROM compression_telemetry_batches"))
	require.Equal(t, 500, value[int](t, b.admin, "SELECT sum(batches) FROM compression_telemetry_batches"))
	var labels map[string]map[string]int
	require.NoError(t, json.Unmarshal([]byte(value[string](t, b.admin, "SELECT labels FROM compression_telemetry_batches ORDER BY batches DESC LIMIT 1")), &labels))
	require.GreaterOrEqual(t, labels["wan"]["HDE"], 490)
}

// BenchmarkFold folds what two hours at 60,000 decisions a second, of 200
// Recorders, leave in the
// ledger.
func BenchmarkFold(b *testing.B) {
	bundle := setup(b)
	conn := bundle.login(b, "dwcp_maintainer")
	_, err := conn.Exec(b.Context(), "SET ROLE dwcp_owner")
	require.NoError(b, err)
	for b.Loop() {
		b.StopTimer()
		bundle.exec(b, `INSERT INTO compression_telemetry_batches (committed_at, received, written, duplicate, conflict, rejected, candidates, labels, rejected_by_reason, recorders)
			SELECT date_trunc('hour', now()) - interval '4 hours' + i * interval '83 milliseconds', 5000, 5000, 0, 0, 0, 4000,
				'{"dc": {"HDE": 600, "AMST": 650}, "wan": {"HDE": 1000, "AMST": 250}, "metro": {"HDE": 625, "AMST": 625}, "edge": {"HDE": 1000, "AMST": 250}}',
				'{}', jsonb_build_object(md5((i % 200)::text)::uuid, '{"count": 2500, "last": 100000}'::jsonb, 'one that stays', '{"count": 2500, "last": 200000}'::jsonb)
			FROM generate_series(1, 86400) AS i`)
		b.StartTimer()
		r := &round{Keeper: New(Defaults()), conn: conn, report: &Report{Now: bundle.now, Cutoff: bundle.now.Add(-90 * day)}}
		require.NoError(b, r.fold(b.Context()))
		require.Greater(b, r.report.Folded, int64(86_000))
	}
}
