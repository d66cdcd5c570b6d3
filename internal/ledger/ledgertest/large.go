// Package ledgertest fills the load ledger for tests of what reads it.
package ledgertest

import (
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// Large fills the ledger with what 50 million decisions of 20 Recorders leave
// there: a row for each hour of 90 days and each minute of the last two, and
// unfolded ones of the batches since the last round of folding.
func Large(t testing.TB, admin *pgx.Conn, unfolded int) {
	t.Helper()
	for _, statement := range []string{
		`INSERT INTO compression_telemetry_batches (committed_at, batches, received, written, duplicate, conflict, rejected, candidates, newest, labels, rejected_by_reason, recorders)
			SELECT now() - i * interval '1 hour', 5, 23150, 23148, 1, 0, 1, 9000, now() - i * interval '1 hour',
				'{"dc": {"HDE": 4000, "AMST": 1787}, "metro": {"HDE": 4000, "AMST": 1787}, "wan": {"HDE": 4000, "AMST": 1787}, "edge": {"HDE": 4000, "AMST": 1787}}', '{"out_of_range": 1}',
				(SELECT jsonb_object_agg(md5((i / 240)::text || '/' || r)::uuid::text, jsonb_build_object('count', 1157, 'last', 1157 * (i % 240 + 1))) FROM generate_series(1, 20) AS r)
			FROM generate_series(2, 2159) AS i`,
		`INSERT INTO compression_telemetry_batches (committed_at, batches, received, written, duplicate, conflict, rejected, candidates, newest, labels, rejected_by_reason, recorders)
			SELECT now() - i * interval '1 minute', 300, 390, 390, 0, 0, 0, 150, now(),
				'{"dc": {"HDE": 70, "AMST": 27}, "metro": {"HDE": 70, "AMST": 27}, "wan": {"HDE": 70, "AMST": 28}, "edge": {"HDE": 70, "AMST": 28}}', '{}',
				(SELECT jsonb_object_agg(md5('0/' || r)::uuid::text, jsonb_build_object('count', 19, 'last', 20 * (120 - i) + 1157)) FROM generate_series(1, 20) AS r)
			FROM generate_series(10, 119) AS i`,
		fmt.Sprintf(`INSERT INTO compression_telemetry_batches (committed_at, received, written, duplicate, conflict, rejected, candidates, newest, labels, rejected_by_reason, recorders)
			SELECT now() - i * interval '600 s' / %[1]d, 50, 50, 0, 0, 0, 20, now(),
				'{"dc": {"HDE": 9, "AMST": 3}, "metro": {"HDE": 9, "AMST": 3}, "wan": {"HDE": 10, "AMST": 3}, "edge": {"HDE": 10, "AMST": 3}}', '{}',
				jsonb_build_object(md5('0/' || i %% 20)::uuid::text, jsonb_build_object('count', 50, 'last', i + 1))
			FROM generate_series(0, %[1]d - 1) AS i`, unfolded),
		"ANALYZE compression_telemetry_batches",
	} {
		_, err := admin.Exec(t.Context(), statement)
		require.NoError(t, err)
	}
}
