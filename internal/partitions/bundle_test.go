package partitions

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// testBundle is a database of its own, with a login for each role.
type testBundle struct {
	url   string // admin's
	admin *pgx.Conn
	now   time.Time // PostgreSQL's, in UTC
}

func setup(t testing.TB) *testBundle {
	t.Helper()
	b := &testBundle{url: pgtest.Database(t)}
	b.admin = pgtest.Connect(t, b.url)
	require.NoError(t, b.admin.QueryRow(t.Context(), "SELECT now()").Scan(&b.now))
	b.now = b.now.UTC()
	return b
}

// login connects as a member of a role.
func (b *testBundle) login(t testing.TB, role string) *pgx.Conn {
	t.Helper()
	return pgtest.Connect(t, pgtest.Login(t, b.url, role))
}

func (b *testBundle) exec(t testing.TB, sql string, args ...any) {
	t.Helper()
	_, err := b.admin.Exec(t.Context(), sql, args...)
	require.NoError(t, err, sql)
}

func value[T any](t testing.TB, q Querier, sql string, args ...any) (v T) {
	t.Helper()
	require.NoError(t, q.QueryRow(t.Context(), sql, args...).Scan(&v), sql)
	return v
}

// keeper has settings for tests: it does not pause.
func keeper(s Settings) *Keeper {
	k := New(s)
	k.pause = 0
	return k
}

// run does a round as a maintainer, which must succeed.
func (b *testBundle) run(t testing.TB, k *Keeper) *Report {
	t.Helper()
	report, err := k.Run(t.Context(), b.login(t, "dwcp_maintainer"))
	require.NoError(t, err)
	require.False(t, report.Busy)
	return report
}

const columns = `(timestamp, event_id, vm_id, request_id, link_type, region, network_tier, bandwidth_available_mbps,
	bandwidth_utilization, rtt_ms, payload_size, payload_type, has_baseline, oracle_algorithm, oracle_utility_score, is_training_candidate)`

// load writes n decisions, the first at a moment and each next one step later,
// with their row of the ledger.
func (b *testBundle) load(t testing.TB, at time.Time, step time.Duration, n int) {
	t.Helper()
	for moment := at; !moment.After(at.Add(time.Duration(n) * step)); moment = moment.Add(24 * time.Hour) {
		b.ensure(t, moment, Month)
	}
	b.ensure(t, at.Add(time.Duration(n)*step), Month)
	b.exec(t, `WITH written AS (
			INSERT INTO compression_telemetry `+columns+`
			SELECT $1::timestamptz + i * $2::interval, gen_random_uuid(), 'vm', 'r', (ARRAY['dc', 'metro', 'wan', 'edge'])[1 + i % 4], 'eu', 1, 1, 1, 1, 1,
				'x', true, CASE WHEN i % 3 = 0 THEN 'HDE' ELSE 'AMST' END, 1, i % 5 > 0
			FROM generate_series(0, $3 - 1) AS i
			RETURNING link_type, oracle_algorithm, is_training_candidate, timestamp
		), by_label AS (
			SELECT link_type, oracle_algorithm, count(*) AS n, count(*) FILTER (WHERE is_training_candidate) AS candidates, max(timestamp) AS newest
			FROM written GROUP BY 1, 2
		), by_link AS (
			SELECT link_type, jsonb_object_agg(oracle_algorithm, n) AS labels, sum(n) AS n, sum(candidates) AS candidates, max(newest) AS newest
			FROM by_label GROUP BY 1
		)
		INSERT INTO compression_telemetry_batches (received, written, duplicate, conflict, rejected, candidates, newest, labels, rejected_by_reason)
		SELECT sum(n), sum(n), 0, 0, 0, sum(candidates), max(newest), jsonb_object_agg(link_type, labels), '{}' FROM by_link`,
		at, step, n)
}

func (b *testBundle) ensure(t testing.TB, at time.Time, period Period) string {
	t.Helper()
	name, err := Ensure(t.Context(), b.admin, at, period)
	require.NoError(t, err)
	return name
}

// requireTrueLedger holds the ledger to the table: rows, candidates, labels.
func (b *testBundle) requireTrueLedger(t testing.TB) {
	t.Helper()
	tx, err := b.admin.BeginTx(t.Context(), pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
	require.NoError(t, err)
	defer func() { _ = tx.Rollback(context.Background()) }()
	held := value[string](t, tx, `SELECT format('%s rows, %s candidates', count(*), count(*) FILTER (WHERE is_training_candidate)) FROM compression_telemetry`)
	told := value[string](t, tx, `SELECT format('%s rows, %s candidates', coalesce(sum(written) - sum(removed), 0), coalesce(sum(candidates), 0)) FROM compression_telemetry_batches`)
	require.Equal(t, held, told)
	labels := value[map[string]int64](t, tx, `SELECT coalesce(jsonb_object_agg(link_type || ' ' || oracle_algorithm, n), '{}')
		FROM (SELECT link_type, oracle_algorithm, count(*) AS n FROM compression_telemetry GROUP BY 1, 2) AS held`)
	require.Equal(t, labels, value[map[string]int64](t, tx, `SELECT coalesce(jsonb_object_agg(label, n), '{}')
		FROM (SELECT link.key || ' ' || algorithm.key AS label, sum(algorithm.value::bigint) AS n
			FROM compression_telemetry_batches, jsonb_each(labels) AS link, jsonb_each_text(link.value) AS algorithm
			GROUP BY 1 HAVING sum(algorithm.value::bigint) <> 0) AS told`))
}

func (b *testBundle) rows(t testing.TB) int {
	t.Helper()
	return value[int](t, b.admin, "SELECT count(*) FROM compression_telemetry")
}

// names lists the partitions by their suffix and state.
func (b *testBundle) names(t testing.TB) (names []string) {
	t.Helper()
	all, err := List(t.Context(), b.admin)
	require.NoError(t, err)
	for _, p := range all {
		names = append(names, fmt.Sprintf("%s %s", strings.TrimPrefix(p.Name, "compression_telemetry_"), p.State))
	}
	return names
}

// month is the name of a moment's partition.
func month(at time.Time) string { return "compression_telemetry_" + at.UTC().Format("200601") }
