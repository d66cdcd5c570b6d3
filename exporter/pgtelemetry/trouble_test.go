package pgtelemetry

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
)

// What PostgreSQL itself says, not what we think it says.
func TestEachRefusalOfPostgreSQLComesWithItsAdvice(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		statement            string // %s is the login
		dsn                  func(string) string
		state, advice, cured string
	}{
		"no connection left":  {"ALTER ROLE %s CONNECTION LIMIT 0", nil, "53300", "no connection left", "ALTER ROLE %s CONNECTION LIMIT -1"},
		"may not log in":      {"ALTER ROLE %s NOLOGIN", nil, "28000", "pg_hba.conf", "ALTER ROLE %s LOGIN"},
		"not a writer":        {"REVOKE dwcp_writer FROM %s", nil, "42501", "grant the role dwcp_writer", "GRANT dwcp_writer TO %s"},
		"read-only":           {"ALTER ROLE %s SET default_transaction_read_only = on", nil, "25006", "read-only", "ALTER ROLE %s RESET default_transaction_read_only"},
		"no such database":    {"", func(dsn string) string { return strings.Replace(dsn, "/test_", "/no_test_", 1) }, "3D000", "create the database", ""},
		"no such parameter":   {"", func(dsn string) string { return dsn + "&sslrootcret=ca.pem" }, "42704", "a parameter that PostgreSQL does not know", ""},
		"nobody listens":      {"", func(dsn string) string { return strings.Replace(dsn, "port=5432", "port=1", 1) }, "none", "", ""},
		"a host that is none": {"", func(string) string { return "postgres://nobody@db.invalid/d" }, "none", "check its name and DNS", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			admin := pgtest.Database(t)
			b := &testBundle{admin: pgtest.Connect(t, admin), now: time.Now().UTC()}
			dsn := pgtest.Login(t, admin, "dwcp_writer")
			login := dsn[len("postgres://"):strings.Index(dsn, "@")]
			run := func(statement string) {
				if statement != "" {
					_, err := b.admin.Exec(t.Context(), fmt.Sprintf(statement, login))
					require.NoError(t, err)
				}
			}
			run(c.statement)
			if c.dsn != nil {
				dsn = c.dsn(dsn)
			}
			b.Logs, b.log = startExporter(t, dsn)
			row := b.fresh(1)[0]
			require.Error(t, b.ConsumeLogs(t.Context(), logsOf(row)))
			_, advice := troubleOf(t, b.log)
			require.Contains(t, advice, c.advice)
			require.Equal(t, c.state, b.log.FilterMessage(inTrouble[writing]).All()[0].ContextMap()["sqlstate"])
			if c.cured != "" {
				run(c.cured)
				require.Eventually(t, func() bool { return b.ConsumeLogs(t.Context(), logsOf(row)) == nil }, time.Minute, 10*time.Millisecond)
				b.requireStored(t, row)
			}
		})
	}
}

// PostgreSQL undoes one of two that wait for each other: here the batch, which
// waited first.
func TestABatchThatLosesADeadlockIsWrittenAllTheSame(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	// Each looks once whether it is in a deadlock, so the batch has to wait for us
	// before it looks and we long after that. What it waits for is asked by a
	// connection that is there already: on a busy machine one takes its time.
	observer := pgtest.Connect(t, url)
	_, err := observer.Exec(t.Context(), `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET deadlock_timeout = 3000', current_database()); END $$`)
	require.NoError(t, err)
	b := setupOn(t, url)
	before := b.fresh(1)
	require.NoError(t, b.ConsumeLogs(t.Context(), logsOf(before...)), "the exporter's connection is there, too")
	_, err = b.admin.Exec(t.Context(), "SET deadlock_timeout = '1min'")
	require.NoError(t, err)
	rows := b.fresh(2)
	later, sooner := rows[0], rows[1] // a batch is in the order of time
	_, err = b.admin.Exec(t.Context(), "SELECT ensure_partition($1), ensure_partition($2)", later.Timestamp, sooner.Timestamp)
	require.NoError(t, err)
	tx, err := b.admin.Begin(t.Context())
	require.NoError(t, err)
	insert := func(d *decision.Decision) error {
		_, err := tx.Exec(t.Context(), `INSERT INTO compression_telemetry (timestamp, event_id, vm_id, request_id, link_type, region, network_tier,
			bandwidth_available_mbps, bandwidth_utilization, rtt_ms, payload_size, payload_type, has_baseline, oracle_algorithm, oracle_utility_score)
			VALUES ($1, $2, 'vm', 'r', 'wan', 'eu', 1, 1, 1, 1, 1, 'x', true, 'HDE', 1)`, d.Timestamp, d.EventID.String())
		return err
	}
	require.NoError(t, insert(&later))
	pushed := make(chan error, 1)
	go func() { pushed <- b.ConsumeLogs(t.Context(), logsOf(rows...)) }()
	require.Eventually(t, func() bool {
		var waits bool
		require.NoError(t, observer.QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'transactionid' AND NOT granted
			AND pg_backend_pid() <> pid AND pid IN (SELECT pid FROM pg_stat_activity WHERE datname = current_database()))`).Scan(&waits))
		return waits
	}, time.Minute, 5*time.Millisecond)
	require.NoError(t, insert(&sooner), "the batch, which has it, is undone")
	require.NoError(t, tx.Rollback(t.Context()))
	require.NoError(t, <-pushed)
	b.requireStored(t, append(rows, before...)...)
	require.Empty(t, b.log.FilterMessage(inTrouble[writing]).All())
}
