package ledger

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// testBundle is a migrated database with a connection of its administrator.
type testBundle struct {
	url   string
	admin *pgx.Conn
	now   time.Time // of the database
}

func setup(t testing.TB) *testBundle {
	t.Helper()
	b := &testBundle{url: pgtest.Database(t)}
	b.admin = pgtest.Connect(t, b.url)
	require.NoError(t, b.admin.QueryRow(t.Context(), "SELECT now()").Scan(&b.now))
	b.now = b.now.UTC()
	return b
}

func (b *testBundle) exec(t *testing.T, sql string, args ...any) {
	t.Helper()
	_, err := b.admin.Exec(t.Context(), sql, args...)
	require.NoError(t, err)
}

// entry is a row of the ledger, as the exporter writes it.
type entry struct {
	age                                                         time.Duration // since it was committed
	received, written, duplicate, conflict, rejected, candidate int64
	newest                                                      *time.Time
	labels, reasons                                             string
}

const insertEntry = `
INSERT INTO compression_telemetry_batches
    (committed_at, received, written, duplicate, conflict, rejected, candidates, newest, labels, rejected_by_reason)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`

func (b *testBundle) commit(t *testing.T, entries ...entry) {
	t.Helper()
	for _, e := range entries {
		b.exec(t, insertEntry, b.now.Add(-e.age), e.received, e.written, e.duplicate, e.conflict, e.rejected, e.candidate,
			e.newest, e.labels, e.reasons)
	}
}

// threeEntries received 100 + 50 + 7 decisions.
func (b *testBundle) threeEntries() []entry {
	newest, older := b.now.Add(-90*time.Second).Truncate(time.Microsecond), b.now.Add(-26*time.Hour)
	return []entry{
		{age: 25 * time.Hour, received: 100, written: 90, duplicate: 4, conflict: 1, rejected: 6, candidate: 80, newest: &older,
			labels: `{"wan": {"HDE": 50, "AMST": 10}, "dc": {"AMST": 30}}`, reasons: `{"out_of_range": 5, "missing": 1}`},
		{age: 2 * time.Hour, received: 50, written: 48, rejected: 2, candidate: 40, newest: &newest,
			labels: `{"wan": {"HDE": 20}, "edge": {"HDE": 28}}`, reasons: `{"out_of_range": 2}`},
		{age: time.Minute, received: 7, duplicate: 7, labels: `{}`, reasons: `{}`},
	}
}

func (b *testBundle) totals(t *testing.T) Totals {
	t.Helper()
	totals, err := ReadTotals(t.Context(), b.admin)
	require.NoError(t, err)
	return totals
}

func (b *testBundle) status(t *testing.T) Status {
	t.Helper()
	status, err := ReadStatus(t.Context(), b.admin, DefaultGoal())
	require.NoError(t, err)
	return status
}
