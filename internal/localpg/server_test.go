package localpg

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// startServer starts one as DWCP_POSTGRES says; it is stopped after the test
// unless the test does so itself.
func startServer(t *testing.T, cfg Config) *Server {
	t.Helper()
	s, err := tryStart(t, cfg)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Stop()) })
	return s
}

func tryStart(t *testing.T, cfg Config) (*Server, error) {
	t.Helper()
	source, err := SourceFromEnv()
	require.NoError(t, err)
	if cfg.Source == "" {
		cfg.Source = source
	}
	cfg.FastUnsafe = true
	return Start(t.Context(), cfg)
}

func query(t *testing.T, url, sql string) (value string) {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), url)
	require.NoError(t, err)
	defer conn.Close(context.Background())
	require.NoError(t, conn.QueryRow(context.Background(), sql).Scan(&value))
	return value
}

func execute(t *testing.T, url, sql string) {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), url)
	require.NoError(t, err)
	defer conn.Close(context.Background())
	_, err = conn.Exec(context.Background(), sql)
	require.NoError(t, err)
}

func isRunning(pid int) bool { return syscall.Kill(pid, 0) == nil }

func TestServerAnswersOnItsSocketAndNowhereElse(t *testing.T) {
	s := startServer(t, Config{})
	setting := func(name string) string { return query(t, s.AdminURL("postgres"), "SHOW "+name) }

	assert.Equal(t, AdminUser, query(t, s.AdminURL("postgres"), "SELECT current_user::text"))
	assert.Equal(t, "UTC", setting("timezone"))
	assert.Equal(t, "UTF8", setting("server_encoding"))
	assert.Equal(t, "off", setting("fsync"))
	assert.Empty(t, setting("listen_addresses"))
	assert.Contains(t, setting("server_version"), s.Version())

	info, err := os.Stat(s.SocketDir())
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o700), info.Mode().Perm())
	assert.Equal(t, testAccount(t).uid, info.Sys().(*syscall.Stat_t).Uid)
	conn, err := net.Dial("unix", filepath.Join(s.SocketDir(), ".s.PGSQL.5432"))
	require.NoError(t, err)
	assert.NoError(t, conn.Close())
}

func TestURLIsFoundWhateverThePGVariablesSay(t *testing.T) {
	t.Setenv("PGPORT", "1")
	t.Setenv("PGHOST", "nowhere.invalid")
	s := startServer(t, Config{})
	assert.Equal(t, "postgres://dwcp_admin@/postgres?host="+s.SocketDir()+"&port=5432", s.AdminURL("postgres"))
	assert.Equal(t, "1", query(t, s.AdminURL("postgres"), "SELECT '1'"))
}

func TestDatabaseIsCreatedOnce(t *testing.T) {
	s := startServer(t, Config{})
	for range 2 {
		require.NoError(t, s.CreateDatabase(t.Context(), `odd "name"`))
	}
	assert.Equal(t, `odd "name"`, query(t, s.AdminURL(`odd "name"`), "SELECT current_database()::text"))
	execute(t, s.AdminURL("postgres"), "CREATE ROLE guest LOGIN")
	assert.Equal(t, "guest", query(t, s.URL("postgres", "guest"), "SELECT current_user::text"))
}

func TestStopLeavesNeitherProcessNorFolder(t *testing.T) {
	s := startServer(t, Config{})
	pid, sockets, data := s.PID(), s.SocketDir(), s.DataDir()
	require.True(t, isRunning(pid))
	require.NoError(t, s.Stop())
	assert.False(t, isRunning(pid))
	assert.NoDirExists(t, sockets)
	assert.NoDirExists(t, data)
	assert.NoDirExists(t, s.place.temporary)
	assert.NoError(t, s.Stop())
}

func TestStopDisconnectsClientsThatStay(t *testing.T) {
	t.Parallel()
	s := startServer(t, Config{})
	conn, err := pgx.Connect(t.Context(), s.AdminURL("postgres"))
	require.NoError(t, err)
	start := time.Now()
	require.NoError(t, s.Stop())
	assert.GreaterOrEqual(t, time.Since(start), smartLimit)
	assert.Error(t, conn.Ping(t.Context()))
}

func TestStoppedServerStillEnds(t *testing.T) {
	s := startServer(t, Config{})
	require.NoError(t, s.Signal(syscall.SIGSTOP))
	require.NoError(t, s.Stop())
	assert.False(t, isRunning(s.PID()))
}

func TestPersistentDataLivesUnderItsMajorVersion(t *testing.T) {
	dir := openFolder(t)
	s := startServer(t, Config{Dir: dir})
	version, err := os.ReadFile(filepath.Join(s.DataDir(), "PG_VERSION"))
	require.NoError(t, err)
	major := string(version[:len(version)-1])
	assert.Equal(t, filepath.Join(dir, major, "data"), s.DataDir())
	require.NoError(t, s.Stop())
	assert.DirExists(t, s.DataDir())
	assert.NoDirExists(t, s.SocketDir())
}

func TestWhyItDidNotComeUpIsInTheError(t *testing.T) {
	dir := openFolder(t)
	s := startServer(t, Config{Dir: dir})
	require.NoError(t, s.Stop())
	conf := filepath.Join(s.DataDir(), "postgresql.conf")
	require.NoError(t, os.WriteFile(conf, []byte("no_such_setting = 1\n"), 0o644))
	_, err := tryStart(t, Config{Dir: dir})
	assert.ErrorContains(t, err, `unrecognized configuration parameter "no_such_setting"`)
	assert.ErrorContains(t, err, "postgres ended: exit status 1")
	assert.NoDirExists(t, s.SocketDir())
}

func TestInterruptedStartLeavesNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Start(ctx, Config{})
	assert.ErrorIs(t, err, context.Canceled)
}

func TestSilentClientDoesNotHoldUpStopForLong(t *testing.T) {
	t.Parallel()
	s := startServer(t, Config{})
	for range 20 { // some come during the shutdown, and PostgreSQL signals those to no avail
		conn, err := net.Dial("unix", filepath.Join(s.SocketDir(), ".s.PGSQL.5432"))
		require.NoError(t, err)
		defer conn.Close()
	}
	start := time.Now()
	require.NoError(t, s.Stop())
	assert.Less(t, time.Since(start), fastLimit)
}
