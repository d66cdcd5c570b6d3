package database_test

import (
	"context"
	"os"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/database"
	"github.com/novacron/dwcp-telemetry/internal/localpg"
	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
	"github.com/novacron/dwcp-telemetry/migrations"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func source(t *testing.T) localpg.Source {
	t.Helper()
	s, err := localpg.SourceFromEnv()
	require.NoError(t, err)
	return s
}

// openFolder is one that PostgreSQL's own user may reach, which t.TempDir is
// not where the tests run as root.
func openFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "dwcp-database-") //nolint:usetesting // see above
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o755))
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	return dir
}

// open opens the private database below dir; it is closed when the test ends.
func open(t *testing.T, dir string) *database.Database {
	t.Helper()
	t.Setenv(database.EnvURL, "")
	db, err := database.Open(t.Context(), database.Options{Source: source(t), Dir: dir})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func value[T any](t *testing.T, conn *pgx.Conn, sql string) (v T) {
	t.Helper()
	require.NoError(t, conn.QueryRow(t.Context(), sql).Scan(&v))
	return v
}

func TestTheUsersOwnDatabaseWinsAndIsLeftAlone(t *testing.T) {
	url := pgtest.Database(t)
	t.Setenv(database.EnvURL, url)
	dir := openFolder(t)
	for range 2 {
		db, err := database.Open(t.Context(), database.Options{Source: source(t), Dir: dir})
		require.NoError(t, err)
		require.Nil(t, db.Server)
		require.Equal(t, url, db.URL)
		collector, err := db.CollectorURL(t.Context())
		require.NoError(t, err)
		require.Equal(t, url, collector)
		require.NoError(t, db.Close())
	}
	require.Equal(t, 1, value[int](t, pgtest.Connect(t, url), "SELECT 1"), "still there after Close")
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, entries)
}

func TestThePrivateDatabaseIsMadeAndThenUsedAgain(t *testing.T) {
	dir := openFolder(t)
	first := open(t, dir)
	conn := pgtest.Connect(t, first.URL)
	require.Equal(t, "dwcp", value[string](t, conn, "SELECT current_database()::text"))
	_, err := conn.Exec(t.Context(), "CREATE TABLE kept AS SELECT 42 AS answer")
	require.NoError(t, err)
	require.NoError(t, conn.Close(t.Context()))
	pid := first.Server.PID()
	require.NoError(t, first.Close())
	require.ErrorIs(t, syscall.Kill(pid, 0), syscall.ESRCH, "Close stops the server")

	second := open(t, dir)
	require.Equal(t, 42, value[int](t, pgtest.Connect(t, second.URL), "SELECT answer FROM kept"))
}

func TestASecondOpenUsesTheServerThatRunsAndLeavesIt(t *testing.T) {
	dir := openFolder(t)
	first := open(t, dir)
	second, err := database.Open(t.Context(), database.Options{Source: source(t), Dir: dir})
	require.NoError(t, err)
	require.Equal(t, first.Server.PID(), second.Server.PID())
	require.NoError(t, second.Close())
	require.Equal(t, 1, value[int](t, pgtest.Connect(t, first.URL), "SELECT 1"))
}

func TestTheCollectorsLoginMayWriteAndNoMore(t *testing.T) {
	db := open(t, openFolder(t))
	_, err := migrations.Up(t.Context(), db.URL)
	require.NoError(t, err)
	url, err := db.CollectorURL(t.Context())
	require.NoError(t, err)
	again, err := db.CollectorURL(t.Context())
	require.NoError(t, err)
	require.Equal(t, url, again)

	conn := pgtest.Connect(t, url)
	require.Equal(t, "dwcp_collector", value[string](t, conn, "SELECT current_user::text"))
	require.False(t, value[bool](t, conn, "SELECT rolsuper OR rolcreaterole OR rolcreatedb FROM pg_roles WHERE rolname = current_user"))
	require.Equal(t, "{dwcp_writer}", value[string](t, conn, `SELECT array_agg(roleid::regrole)::text FROM pg_auth_members
		WHERE member = current_user::regrole`))
	require.True(t, value[bool](t, conn, "SELECT has_table_privilege('compression_telemetry', 'INSERT')"))
	for _, forbidden := range []string{
		"DELETE FROM compression_telemetry", "UPDATE compression_telemetry SET region = ''",
		"TRUNCATE compression_telemetry", "DROP TABLE compression_telemetry", "CREATE TABLE public.mine ()", "CREATE ROLE mine",
	} {
		_, err := conn.Exec(t.Context(), forbidden)
		require.ErrorContains(t, err, "42501", forbidden)
	}
}

func TestTheCollectorsLoginNeedsTheMigrations(t *testing.T) {
	db := open(t, openFolder(t))
	_, err := db.CollectorURL(t.Context())
	require.ErrorContains(t, err, `make the collector's login: ERROR: role "dwcp_writer" does not exist`)
}

func TestTheNameHoldsNoSecret(t *testing.T) {
	for url, want := range map[string]string{
		"postgres://me:sesame@db.example:5433/telemetry":           "telemetry on db.example (DWCP_DATABASE_URL)",
		"host=db.example user=me password=sesame dbname=telemetry": "telemetry on db.example (DWCP_DATABASE_URL)",
	} {
		t.Setenv(database.EnvURL, url)
		db, err := database.Open(t.Context(), database.Options{Dir: t.TempDir()})
		require.NoError(t, err)
		require.Equal(t, want, db.Name())
	}
	require.Regexp(t, `^private PostgreSQL \d+\.\d+$`, open(t, openFolder(t)).Name())
}

func TestAWrongURLIsToldWithoutItsPassword(t *testing.T) {
	for _, url := range []string{
		"postgres://me:sesame@host:port/telemetry", "postgres://me:ses/ame@host/telemetry", "host=h password=sesame street", "sesame",
	} {
		t.Setenv(database.EnvURL, url)
		_, err := database.Open(t.Context(), database.Options{Dir: t.TempDir()})
		require.EqualError(t, err, "DWCP_DATABASE_URL: is not a URL that PostgreSQL understands (postgres://user@host:port/database)")
	}
}

func TestACancelledOpenLeavesNoServer(t *testing.T) {
	t.Setenv(database.EnvURL, "")
	dir := openFolder(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := database.Open(ctx, database.Options{Source: source(t), Dir: dir})
	require.ErrorIs(t, err, context.Canceled)
	require.False(t, open(t, dir).Server.Adopted(), "none was left to take over")
}
