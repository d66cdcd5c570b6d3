package migrations_test

import (
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
)

// fill is 60,000 decisions of 1,000 VMs, spread evenly over the 120 days before
// the first of October 2026, a ledger of 20,000 batches and as many rejected.
const fill = `
SELECT ensure_partition(month) FROM generate_series(timestamptz '2026-06-03 00:00Z', '2026-10-01', '1 month') AS month;
INSERT INTO compression_telemetry (timestamp, vm_id, request_id, session_id, link_type, region, network_tier,
    bandwidth_available_mbps, bandwidth_utilization, rtt_ms, payload_size, payload_type, has_baseline,
    oracle_algorithm, oracle_utility_score, is_training_candidate, quality_score, event_id)
SELECT timestamptz '2026-10-01 00:00Z' - n * interval '172.8 s', encode(sha256((n * 7919 % 1000)::text::bytea), 'hex'), 'r' || n, 's' || n / 20,
    (ARRAY['dc', 'metro', 'wan', 'edge'])[1 + n % 4], 'region-' || n % 6, 1 + n % 3,
    1000, 10, 5, 1 << 20, 'vm_memory', true, CASE WHEN n % 3 = 0 THEN 'HDE' ELSE 'AMST' END, 1, n % 50 > 0, 1 - n % 4 * 0.1,
    gen_random_uuid()
FROM generate_series(1, 60000) AS n;
INSERT INTO compression_telemetry_batches (committed_at, received, written, duplicate, conflict, rejected, candidates, labels, rejected_by_reason)
SELECT timestamptz '2026-10-01 00:00Z' - n * interval '10 min', 1, 1, 0, 0, 0, 1, '{}', '{}' FROM generate_series(1, 20000) AS n;
INSERT INTO compression_telemetry_rejected (digest, received_at, reason)
SELECT sha256(n::text::bytea), timestamptz '2026-10-01 00:00Z' - n * interval '10 min', 'missing' FROM generate_series(1, 20000) AS n;
ANALYZE compression_telemetry, compression_telemetry_batches, compression_telemetry_rejected`

// Each kind of query that this project asks, and what of the table it may read.
// A query that comes to need another index gets its line here first.
func TestEachQueryOfTheProjectReadsOnlyWhatItNeeds(t *testing.T) {
	t.Parallel()
	conn := pgtest.Connect(t, pgtest.Database(t))
	_, err := conn.Exec(t.Context(), fill, pgx.QueryExecModeSimpleProtocol)
	require.NoError(t, err)
	key := time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		sql       string
		arguments []any
		uses      []string // in the plan
		never     []string
	}{
		"export of a span of time": {`SELECT * FROM compression_telemetry_ml WHERE timestamp >= $1 AND timestamp < $1 + interval '10 days'
				AND is_training_candidate AND quality_score > 0.8 ORDER BY timestamp, event_id`, []any{key},
			[]string{"202609"}, []string{"202608", "202610"}},
		"export of one link type and region": {`SELECT * FROM compression_telemetry_ml WHERE timestamp >= $1 AND timestamp < $1 + interval '10 days'
				AND link_type = 'wan' AND region = 'region-2' ORDER BY timestamp, event_id`, []any{key},
			[]string{"202609"}, []string{"202608", "202610"}},
		"forget a VM": {`DELETE FROM compression_telemetry WHERE vm_id = $1`, []any{strings.Repeat("0af9", 16)},
			[]string{"202606_vm_id_idx", "202609_vm_id_idx"}, []string{"Seq Scan"}},
		"forget a VM under two keys": {`DELETE FROM compression_telemetry WHERE vm_id IN ($1, $2)`,
			[]any{strings.Repeat("0af9", 16), strings.Repeat("1af9", 16)},
			[]string{"202606_vm_id_idx", "202609_vm_id_idx"}, []string{"Seq Scan"}},
		"export of a VM's own data": {`SELECT * FROM compression_telemetry WHERE vm_id = $1 ORDER BY timestamp`,
			[]any{strings.Repeat("0af9", 16)}, []string{"202606_vm_id_idx"}, []string{"Seq Scan"}},
		"the next rows to relabel": {`SELECT * FROM compression_telemetry WHERE timestamp >= $1 AND (timestamp, event_id) > ($1, '00000000-0000-7000-8000-000000000000')
				AND timestamp < '2026-10-01' ORDER BY timestamp, event_id LIMIT 5000`, []any{key},
			[]string{"202609_pkey"}, []string{"Seq Scan", "Sort", "202608"}},
		"a tail that has expired": {`DELETE FROM compression_telemetry_202606 WHERE timestamp >= '2026-06-01' AND timestamp <= $1
				AND (timestamp, event_id) < ($1, '00000000-0000-7000-8000-000000000000')`, []any{time.Date(2026, 6, 5, 0, 0, 0, 0, time.UTC)},
			[]string{"202606_pkey"}, []string{"Seq Scan on"}},
		"the oldest row": {`SELECT min(timestamp) FROM compression_telemetry WHERE timestamp >= $1`, []any{key},
			[]string{"Index Only Scan using compression_telemetry_202609_pkey"}, []string{"Seq Scan"}},
		"the newest rows": {`SELECT * FROM compression_telemetry ORDER BY timestamp DESC LIMIT 10`, nil,
			[]string{"Index Scan Backward"}, []string{"Seq Scan", "Sort"}},
		"rows of a batch by their keys": {`SELECT found.* FROM (VALUES ($1::timestamptz, gen_random_uuid())) AS came (timestamp, event_id)
				CROSS JOIN LATERAL (SELECT * FROM compression_telemetry AS f WHERE f.timestamp = came.timestamp AND f.event_id = came.event_id LIMIT 1) AS found`,
			[]any{key}, []string{"202609_pkey"}, []string{"Seq Scan"}},
		"the ledger's last day": {`SELECT sum(written) FROM compression_telemetry_batches WHERE committed_at > $1 AND kind = 'load'`,
			[]any{time.Date(2026, 9, 30, 0, 0, 0, 0, time.UTC)}, []string{"batches_committed_at_idx"}, []string{"Seq Scan"}},
		"rejected rows that have expired": {`SELECT digest FROM compression_telemetry_rejected WHERE received_at < $1 ORDER BY received_at LIMIT 1000`,
			[]any{time.Date(2026, 6, 5, 0, 0, 0, 0, time.UTC)}, []string{"rejected_received_at_idx"}, []string{"Seq Scan"}},
		"a rejected row by its digest": {`SELECT * FROM compression_telemetry_rejected WHERE digest = sha256('1')`, nil,
			[]string{"rejected_pkey"}, []string{"Seq Scan"}},
	} {
		plan := planOf(t, conn, c.sql, c.arguments...)
		for _, used := range c.uses {
			require.Contains(t, plan, used, name)
		}
		for _, never := range c.never {
			require.NotContains(t, plan, never, name)
		}
	}
}

// The indexes that a partition has are those above and no more: each costs
// every COPY.
func TestAPartitionHasNoIndexThatNoQueryNeeds(t *testing.T) {
	t.Parallel()
	conn := pgtest.Connect(t, pgtest.Database(t))
	_, err := conn.Exec(t.Context(), "SELECT ensure_partition('2026-09-01')")
	require.NoError(t, err)
	rows, err := conn.Query(t.Context(), "SELECT indexname FROM pg_indexes WHERE tablename = 'compression_telemetry_202609' ORDER BY 1")
	require.NoError(t, err)
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	require.Equal(t, []string{"compression_telemetry_202609_pkey", "compression_telemetry_202609_vm_id_idx"}, names)
}

func planOf(t *testing.T, conn *pgx.Conn, sql string, arguments ...any) string {
	t.Helper()
	rows, err := conn.Query(t.Context(), "EXPLAIN (COSTS OFF) "+sql, append([]any{pgx.QueryExecModeExec}, arguments...)...)
	require.NoError(t, err, sql)
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err, sql)
	return strings.Join(lines, "\n")
}
