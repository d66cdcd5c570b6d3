package pgtelemetry

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
	"github.com/novacron/dwcp-telemetry/internal/needtest"
)

const bouncerConfig = `[databases]
telemetry = host=%s port=5432 dbname=%s user=%s
[pgbouncer]
listen_addr =
listen_port = 6432
unix_socket_dir = %s
auth_type = any
pool_mode = transaction
default_pool_size = %d
`

// bouncer starts PgBouncer in transaction mode before a database of the test's
// own, with so many server connections, and returns the DSN of a dwcp_writer
// that goes through it.
func bouncer(t *testing.T, admin string, serverConnections int) (dsn string) {
	t.Helper()
	program := needtest.Program(t, "apt-get install pgbouncer", "pgbouncer", "/usr/sbin/pgbouncer") // Debian's place, not on everybody's PATH
	login, err := url.Parse(pgtest.Login(t, admin, "dwcp_writer"))
	require.NoError(t, err)
	// Like PostgreSQL it refuses root: it runs as whoever PostgreSQL does.
	owner := ownerOf(t, pgtest.Server(t).DataDir())
	dir, err := os.MkdirTemp("/tmp", "dwcp-bouncer-") //nolint:usetesting // short enough for a socket, and open to the owner
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	file := filepath.Join(dir, "pgbouncer.ini")
	config := fmt.Sprintf(bouncerConfig, pgtest.Server(t).SocketDir(), login.Path[1:], login.User.Username(), dir, serverConnections)
	require.NoError(t, os.WriteFile(file, []byte(config), 0o644))
	require.NoError(t, os.Chown(dir, int(owner.Uid), int(owner.Gid)))

	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, program, "--quiet", file)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	dieWithParent(cmd.SysProcAttr)
	if os.Geteuid() == 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: owner.Uid, Gid: owner.Gid}
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	require.NoError(t, err)
	cmd.Stdout, cmd.Stderr = log, log
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait() // killed
		if text, err := os.ReadFile(log.Name()); err == nil && t.Failed() {
			t.Logf("PgBouncer says:\n%s", text)
		}
		_ = log.Close()
	})
	dsn = fmt.Sprintf("host=%s port=6432 dbname=telemetry user=anyone", dir)
	require.Eventually(t, func() bool {
		conn, err := pgx.Connect(t.Context(), dsn)
		return err == nil && conn.Close(t.Context()) == nil
	}, time.Minute, 20*time.Millisecond)
	return dsn
}

// through connects by way of PgBouncer, as some other program would.
func through(t *testing.T, dsn string) *pgx.Conn {
	t.Helper()
	config, err := pgx.ParseConfig(dsn)
	require.NoError(t, err)
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	conn, err := pgx.ConnectConfig(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// Two collectors with four consumers each share two server connections. They
// write new rows, rows that are there already, and bad ones of both kinds.
func TestBehindPgBouncerInTransactionModeAllIsWrittenOnce(t *testing.T) {
	t.Parallel()
	admin := pgtest.Database(t)
	b := &testBundle{admin: pgtest.Connect(t, admin), now: time.Now().UTC()}
	_, err := b.admin.Exec(t.Context(), "ALTER TABLE compression_telemetry ADD CONSTRAINT no_mars CHECK (region <> 'mars')")
	require.NoError(t, err)
	dsn := bouncer(t, admin, 2)
	one, _ := startExporter(t, dsn)
	two, _ := startExporter(t, dsn)

	const consumers, batches, size = 4, 5, 60
	rows := make([][]decision.Decision, consumers*batches)
	var good []decision.Decision
	for i := range rows {
		rows[i] = b.fresh(size)
		rows[i][7].NetworkTier = 9       // refused by the list
		rows[i][i%size].Region = "mars"  // by the table
		rows[i][11].PayloadType = "\x00" // by the list
		good = append(good, without(rows[i], 7, i%size, 11)...)
	}
	var all sync.WaitGroup
	failed := make(chan error, 2*consumers*batches)
	for c := range consumers {
		for _, e := range []*testBundle{{Logs: one}, {Logs: two}} { // both get the same
			all.Go(func() {
				for i := c * batches; i < (c+1)*batches; i++ {
					failed <- e.ConsumeLogs(t.Context(), logsOf(rows[i]...))
				}
			})
		}
	}
	all.Wait()
	close(failed)
	for err := range failed {
		require.NoError(t, err)
	}
	b.requireStored(t, good...)
	received := 2 * len(rows) * size
	bad := len(rows)*size - len(good)
	require.Len(t, b.rejected(t), bad)
	sum := b.ledger(t)
	require.Equal(t, ledger{received: received, written: len(good), rejected: bad, duplicate: received - len(good) - bad,
		candidates: sum.candidates}, sum)
	requireNothingLeft(t, dsn, 2)
}

// requireNothingLeft looks at each server connection for what a session leaves
// behind.
func requireNothingLeft(t *testing.T, dsn string, serverConnections int) {
	t.Helper()
	var transactions []pgx.Tx // one to each server connection
	for range serverConnections {
		tx, err := through(t, dsn).Begin(t.Context())
		require.NoError(t, err)
		transactions = append(transactions, tx)
	}
	seen := map[int]bool{}
	for _, tx := range transactions {
		var pid, prepared, locks int
		var settings string
		require.NoError(t, tx.QueryRow(t.Context(), `SELECT pg_backend_pid(), (SELECT count(*) FROM pg_prepared_statements WHERE name <> ''),
			(SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()),
			(SELECT coalesce(string_agg(name, ' '), '') FROM pg_settings WHERE source = 'session' AND name NOT IN ('application_name', 'client_encoding'))`).
			Scan(&pid, &prepared, &locks, &settings))
		seen[pid] = true
		require.Zero(t, prepared)
		require.Zero(t, locks)
		require.Empty(t, settings)
		require.NoError(t, tx.Rollback(t.Context()))
	}
	require.Len(t, seen, serverConnections)
}

// A server connection behind PgBouncer outlives ours and is handed on: the merge
// table that somebody left there may be older than the table.
func TestAMergeTableThatAnotherLeftBehindIsNotUsedOnceTheTableHasChanged(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]string{
		"an older list of columns": `CREATE TEMP TABLE dwcp_merge (LIKE compression_telemetry INCLUDING DEFAULTS INCLUDING CONSTRAINTS) ON COMMIT DELETE ROWS;
			ALTER TABLE pg_temp.dwcp_merge DROP COLUMN oracle_version`,
		"a stricter constraint": `CREATE TEMP TABLE dwcp_merge (LIKE compression_telemetry INCLUDING DEFAULTS INCLUDING CONSTRAINTS,
			CONSTRAINT narrow CHECK (region = 'nowhere')) ON COMMIT DELETE ROWS`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			admin := pgtest.Database(t)
			dsn := bouncer(t, admin, 1)
			b := &testBundle{admin: pgtest.Connect(t, admin), now: time.Now().UTC()}
			b.Logs, _ = startExporter(t, dsn)
			rows := b.fresh(20)
			b.push(t, rows[:10]...)
			_, err := through(t, dsn).Exec(t.Context(), leave)
			require.NoError(t, err)
			b.push(t, rows...)
			b.requireStored(t, rows...)
			require.Empty(t, b.rejected(t))
		})
	}
}

func TestTheMergeTableIsKeptAsLongAsTheTableIsTheSame(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *Config) { c.Connections = 1 })
	rows := b.fresh(10)
	b.push(t, rows[:5]...)
	mergeTables := func() (oids string) {
		require.NoError(t, b.admin.QueryRow(t.Context(), "SELECT coalesce(string_agg(oid::text, ' '), '') FROM pg_class WHERE relname = 'dwcp_merge'").Scan(&oids))
		return oids
	}
	b.push(t, rows...)
	first := mergeTables()
	require.NotEmpty(t, first)
	b.push(t, rows...)
	require.Equal(t, first, mergeTables())

	_, err := b.admin.Exec(t.Context(), "ALTER TABLE compression_telemetry ADD COLUMN extra integer")
	require.NoError(t, err)
	b.push(t, rows...)
	require.NotEqual(t, first, mergeTables())
	b.requireStored(t, rows...)
}

func TestAParameterThatPgBouncerRefusesIsToldWithWhatToDo(t *testing.T) {
	t.Parallel()
	exporter, log := startExporter(t, bouncer(t, pgtest.Database(t), 1)+" statement_timeout=5000")
	require.Error(t, exporter.ConsumeLogs(t.Context(), logsOf((&testBundle{now: time.Now().UTC()}).fresh(1)...)))
	_, advice := troubleOf(t, log)
	require.Contains(t, advice, "ignore_startup_parameters")
}
