package dashboard

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/browsertest"
	"github.com/novacron/dwcp-telemetry/internal/ledger"
	"github.com/novacron/dwcp-telemetry/internal/ledger/ledgertest"
	"github.com/novacron/dwcp-telemetry/internal/localpg"
	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
	"github.com/novacron/dwcp-telemetry/migrations"
)

// ownServer is a PostgreSQL that a test may stop and start, with a migrated
// database: URL of its owner.
func ownServer(t *testing.T) (server *localpg.Server, owner string) {
	t.Helper()
	source, err := localpg.SourceFromEnv()
	require.NoError(t, err)
	server, err = localpg.Start(t.Context(), localpg.Config{FastUnsafe: true, Source: source})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Stop()) })
	require.NoError(t, server.CreateDatabase(t.Context(), "dwcp"))
	owner = server.AdminURL("dwcp")
	_, err = migrations.Up(t.Context(), owner)
	require.NoError(t, err)
	return server, owner
}

func (s *testServer) snapshotNow(t *testing.T) (read Snapshot) {
	t.Helper()
	answer := s.ask(t, "GET", "/snapshot")
	require.Equal(t, http.StatusOK, answer.StatusCode, answer.body)
	require.NoError(t, json.Unmarshal([]byte(answer.body), &read))
	return read
}

// readNow waits until the database has been read: on a busy machine connecting may
// take longer than the limits that are right for a page.
func (s *testServer) readNow(t *testing.T) (read Snapshot) {
	t.Helper()
	require.Eventually(t, func() bool {
		answer := s.ask(t, "GET", "/snapshot")
		read = Snapshot{}
		return answer.StatusCode == http.StatusOK && json.Unmarshal([]byte(answer.body), &read) == nil && read.Database.Readable
	}, waitLimit, waitTick, "%s", s.log)
	return read
}

func TestTheLastFiguresStayWhileTheDatabaseIsAway(t *testing.T) {
	t.Parallel()
	server, owner := ownServer(t)
	admin := pgtest.Connect(t, owner)
	run(t, admin, batch)
	s := serve(t, testConfig(owner))
	before := s.readNow(t)
	require.NoError(t, server.Signal(syscall.SIGKILL))
	var read Snapshot
	require.Eventually(t, func() bool { read = s.snapshotNow(t); return !read.Database.Readable }, waitLimit, waitTick)
	require.Equal(t, before.Ledger.Totals, read.Ledger.Totals)
	require.Contains(t, s.ask(t, "GET", "/").body, `class="stale"`)
	require.NotEmpty(t, read.Database.Trouble)
	require.False(t, read.Database.Since.IsZero())
	require.False(t, read.Database.Since.Before(read.Database.ReadAt))
	since := read.Database.Since
	require.Equal(t, since, s.snapshotNow(t).Database.Since, "since when does not move")

	require.NoError(t, server.Restart(t.Context()))
	require.Eventually(t, func() bool { read = s.snapshotNow(t); return read.Database.Readable }, waitLimit, waitTick)
	require.Equal(t, before.Ledger.Totals, read.Ledger.Totals)
	require.True(t, read.Database.Since.After(since))
	require.Contains(t, s.log.String(), "the load ledger can be read again")
}

func TestADatabaseThatIsDeadFromTheStartIsWaitedFor(t *testing.T) {
	t.Parallel()
	s := serve(t, testConfig(away))
	read := s.snapshotNow(t)
	require.Nil(t, read.Ledger)
	require.Equal(t, "the database cannot be reached", read.Database.Trouble)
	page := s.ask(t, "GET", "/").body
	require.Contains(t, page, "the database cannot be reached")
	require.NotContains(t, page, `class="stale"`, "there are no old figures")
	for name, text := range map[string]string{"page": page, "log": s.log.String()} {
		require.NotContains(t, text, "sesame", name)
	}
	require.NotContains(t, page, "127.0.0.1:9", "where the database is, is for the log")
}

// An owner's login could drop the table; the dashboard does not keep that power.
func TestItReadsAsTheReaderAndCannotWrite(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t) // a superuser's
	config := testConfig(url)
	r, err := newReader(&config)
	require.NoError(t, err)
	defer r.close()
	tx, err := r.pool.BeginTx(t.Context(), pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	require.NoError(t, err)
	defer func() { _ = tx.Rollback(context.Background()) }()
	require.NoError(t, lessen(t.Context(), tx))
	for setting, want := range map[string]string{
		"role": readerRole, "transaction_read_only": "on", "statement_timeout": "5s", "lock_timeout": "2s",
		"transaction_isolation": "repeatable read", "application_name": applicationName,
	} {
		var got string
		require.NoError(t, tx.QueryRow(t.Context(), "SELECT current_setting($1)", setting).Scan(&got))
		require.Equal(t, want, got, setting)
	}
	_, err = tx.Exec(t.Context(), "DELETE FROM compression_telemetry_batches")
	require.ErrorContains(t, err, "read-only transaction")
}

func TestALoginThatIsNoReadersReadsAsItself(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	for _, role := range []string{"dwcp_writer", "dwcp_maintainer"} {
		s := serve(t, testConfig(pgtest.Login(t, url, role)))
		s.readNow(t)
	}
}

func TestEachTroubleSaysWhatToDo(t *testing.T) {
	t.Parallel()
	empty := serve(t, testConfig(pgtest.EmptyDatabase(t)))
	require.Equal(t, "run `dwcp-telemetry migrate up`", empty.snapshotNow(t).Database.Advice)
	require.Contains(t, empty.ask(t, "GET", "/").body, "<code>dwcp-telemetry migrate up</code>")

	migrated := pgtest.Database(t)
	stranger := pgtest.Connect(t, migrated)
	run(t, stranger, "DROP ROLE IF EXISTS nobody_in_particular", "CREATE ROLE nobody_in_particular NOLOGIN")
	t.Cleanup(func() { _, _ = stranger.Exec(context.Background(), "DROP ROLE nobody_in_particular") })
	without := serve(t, testConfig(pgtest.Login(t, migrated, "nobody_in_particular")))
	require.Equal(t, "`GRANT dwcp_ml_reader` to it", without.snapshotNow(t).Database.Advice)

	u, err := url.Parse(migrated)
	require.NoError(t, err)
	u.Path = "/no_such_database"
	missing := serve(t, testConfig(u.String()))
	require.Equal(t, "there is no database of that name", missing.snapshotNow(t).Database.Trouble)

	for code, want := range map[string]string{
		"57014": "reading the load ledger took longer than 5s", "57P03": "the database is starting or recovering", "57P01": "the database was shut down or restarted",
		"28P01": "the database refuses the login", "53300": "the database has no connection left", "XX000": "the database answers with an error, SQLSTATE XX000",
	} {
		trouble, _ := explain(fmt.Errorf("read: %w", &pgconn.PgError{Code: code}))
		require.Equal(t, want, trouble)
	}
	trouble, _ := explain(context.DeadlineExceeded)
	require.Equal(t, "the database does not answer in time", trouble)
	trouble, _ = explain(errors.New("dial"))
	require.Equal(t, "the database cannot be reached", trouble)
}

// It could not read a decision if it wanted to, and is done within
// statement_timeout.
func TestFiftyMillionDecisionsAreNotScanned(t *testing.T) {
	t.Parallel()
	reader, admin := database(t)
	run(t, admin, "SELECT ensure_partition(now()), ensure_partition(now() + interval '1 month')", "REVOKE SELECT ON compression_telemetry_ml FROM "+readerRole)
	ledgertest.Large(t, admin, 3_000)
	s := serve(t, testConfig(reader))
	v := join(t, s.poller)
	defer s.poller.leave(v)
	for range 3 {
		<-v.snapshots
	}
	read := s.readNow(t)
	require.Greater(t, read.Ledger.Totals.Written, int64(49_000_000))
	require.Len(t, read.Ledger.Recorders, 20)
	require.NotEmpty(t, read.Ledger.Partitions)
	b := browsertest.Open(t, s.url)
	b.Await(t, fmt.Sprintf(`document.querySelector("#in-table").firstChild.data === %q && document.querySelectorAll(".chart canvas").length === 2`,
		count(read.Ledger.Totals.InTable())), "the page shows them")
	b.Picture(t, "large")
}

// However many look, the database sees one session, and none before.
func TestAllWhoLookShareOneConnection(t *testing.T) {
	t.Parallel()
	reader, admin := database(t)
	s := serve(t, testConfig(reader))
	connections := func() (n int) {
		require.NoError(t, admin.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_activity
			WHERE datname = current_database() AND application_name = $1`, applicationName).Scan(&n))
		return n
	}
	require.Zero(t, connections(), "nobody has looked yet")
	for range 5 {
		s.open(t, "").view(t)
	}
	require.Equal(t, 1, connections())
	require.NoError(t, s.stop())
	require.Eventually(t, func() bool { return connections() == 0 }, waitLimit, waitTick)
}

func TestALockedLedgerIsWaitedForAWhileOnly(t *testing.T) {
	t.Parallel()
	reader, admin := database(t)
	tx, err := admin.Begin(t.Context())
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), "LOCK TABLE compression_telemetry_batches IN ACCESS EXCLUSIVE MODE")
	require.NoError(t, err)
	s := serve(t, testConfig(reader))
	require.Equal(t, "the load ledger is locked by someone else, a migration say", s.snapshotNow(t).Database.Trouble)
	require.NoError(t, tx.Rollback(t.Context()))
}

func TestTheSnapshotsNumbersAreThoseOfStatus(t *testing.T) {
	t.Parallel()
	reader, admin := database(t)
	run(t, admin, aMonth...)
	s := serve(t, testConfig(reader))
	read := s.readNow(t)
	status, err := ledger.ReadStatus(t.Context(), admin, ledger.DefaultGoal())
	require.NoError(t, err)
	require.Equal(t, status.Totals, read.Ledger.Totals)
	require.Equal(t, status.Completeness, read.Ledger.Completeness)
	require.WithinDuration(t, time.Now(), read.At, waitLimit)
}
