package doctor

import (
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/certtest"
	"github.com/novacron/dwcp-telemetry/internal/localpg"
	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
	"github.com/novacron/dwcp-telemetry/internal/needtest"
	"github.com/novacron/dwcp-telemetry/migrations"
)

const password = "open-sesame-41-hush"

// secured is a PostgreSQL as one should run it: durable, over TLS only, with a
// writer and a keeper.
type secured struct {
	*localpg.Server
	t     *testing.T
	port  int
	admin *pgx.Conn
	ca    *certtest.Authority
	files string // of the clients
}

func startSecured(t *testing.T) *secured {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &secured{t: t, port: free.Addr().(*net.TCPAddr).Port, files: t.TempDir(), ca: certtest.New(t)}
	require.NoError(t, free.Close())
	source, err := localpg.SourceFromEnv()
	require.NoError(t, err)
	s.Server, err = localpg.Start(t.Context(), localpg.Config{Source: source, Port: s.port})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Stop()) })
	require.NoError(t, s.CreateDatabase(t.Context(), "dwcp"))
	_, err = migrations.Up(t.Context(), s.AdminURL("dwcp"))
	require.NoError(t, err)
	s.admin = pgtest.Connect(t, s.AdminURL("dwcp"))
	s.put(filepath.Join(s.DataDir(), "pg_hba.conf"), []byte("local all all trust\nhostssl dwcp all 127.0.0.1/32 scram-sha-256\n"))
	for _, statement := range []string{
		fmt.Sprintf("CREATE ROLE collector LOGIN PASSWORD '%s' IN ROLE dwcp_writer", password),
		fmt.Sprintf("CREATE ROLE keeper LOGIN PASSWORD '%s' IN ROLE dwcp_maintainer", password),
		"ALTER SYSTEM SET ssl = on", "ALTER SYSTEM SET ssl_cert_file = 'server.crt'", "ALTER SYSTEM SET ssl_key_file = 'server.key'",
		"SELECT ensure_partition(now() + n * interval '1 month', 'month') FROM generate_series(0, 2) AS n",
	} {
		_, err = s.admin.Exec(t.Context(), statement)
		require.NoError(t, err)
	}
	s.show(s.ca.Issue(t, "127.0.0.1", certtest.For(100*24*time.Hour)))
	return s
}

// put writes a file of PostgreSQL's, whose own it must be.
func (s *secured) put(path string, content []byte) {
	s.t.Helper()
	info, err := os.Stat(s.DataDir())
	require.NoError(s.t, err)
	owner := info.Sys().(*syscall.Stat_t)
	require.NoError(s.t, os.WriteFile(path+".new", content, 0o600))
	require.NoError(s.t, os.Chown(path+".new", int(owner.Uid), int(owner.Gid)))
	require.NoError(s.t, os.Rename(path+".new", path))
}

// show gives the server another certificate and waits until it shows it.
func (s *secured) show(own certtest.Pair) {
	s.t.Helper()
	s.put(filepath.Join(s.DataDir(), "server.crt"), own.Certificate)
	s.put(filepath.Join(s.DataDir(), "server.key"), own.Key)
	_, err := s.admin.Exec(s.t.Context(), "SELECT pg_reload_conf()")
	require.NoError(s.t, err)
	require.Eventually(s.t, func() bool { return shownBy(s.t, s.port) == own.Serial }, waitLimit, waitTick)
}

// file writes a client's file.
func (s *secured) file(name string, content []byte) string {
	s.t.Helper()
	path := filepath.Join(s.files, name)
	require.NoError(s.t, os.WriteFile(path, content, 0o600))
	return path
}

func (s *secured) dsn(user, more string) string {
	return fmt.Sprintf("postgres://%s:%s@127.0.0.1:%d/dwcp?%s", user, password, s.port, more)
}

// verified is how one should connect.
func (s *secured) verified(user string) string {
	s.t.Helper()
	return s.dsn(user, "sslmode=verify-full&sslrootcert="+s.file("ca.pem", s.ca.PEM))
}

func TestWhatIsWrongWithTLSIsFound(t *testing.T) { //nolint:tparallel // the cases take turns with the server's certificate
	t.Parallel()
	s := startSecured(t)
	good := s.ca.Issue(t, "127.0.0.1", certtest.For(100*24*time.Hour))
	stranger := certtest.New(t)
	client := func(life time.Duration, mode os.FileMode) string {
		own := s.ca.Issue(t, "collector", certtest.For(life))
		key := s.file("client.key", own.Key)
		require.NoError(t, os.Chmod(key, mode))
		return "&sslcert=" + s.file("client.crt", own.Certificate) + "&sslkey=" + key
	}
	for _, c := range []struct {
		name, id string
		level    Level
		seen     string
		server   certtest.Pair
		dsn      func() string
		late     time.Duration // how late it is by our clock
	}{
		{"verified", "tls.mode", OK, "verified to be 127.0.0.1", good, func() string { return s.verified("collector") }, 0},
		{"valid", "tls.server", OK, "is valid until", good, func() string { return s.verified("collector") }, 0},
		{"about to expire", "tls.server", Warning, "in 4 days", s.ca.Issue(t, "127.0.0.1", certtest.For(5*24*time.Hour-time.Hour)), func() string { return s.verified("collector") }, 0},
		{"expired and refused", "tls.server", Error, "expired", s.ca.Issue(t, "127.0.0.1", certtest.For(-time.Hour)), func() string { return s.verified("collector") }, 0},
		{"expired and not looked at", "tls.server", Error, "has expired at", s.ca.Issue(t, "127.0.0.1", certtest.For(-time.Hour)), func() string { return s.dsn("collector", "sslmode=require") }, 0},
		{"another name", "tls.server", Error, "IP SANs", s.ca.Issue(t, "db.example.com", certtest.For(100*24*time.Hour)), func() string { return s.verified("collector") }, 0},
		{"another CA", "tls.server", Error, "unknown authority", good, func() string {
			return s.dsn("collector", "sslmode=verify-full&sslrootcert="+s.file("other.pem", stranger.PEM))
		}, 0},
		{"refused for another reason", "tls.server", Skipped, "see database.login", good, func() string { return strings.Replace(s.verified("collector"), password, "wrong", 1) }, 0},
		{"wrong password", "database.login", Error, "password authentication failed", good, func() string { return strings.Replace(s.verified("collector"), password, "wrong", 1) }, 0},
		{"plaintext is refused", "database.login", Error, "no encryption", good, func() string { return s.dsn("collector", "sslmode=disable") }, 0},
		{"only the CA", "tls.mode", Info, "not that it is 127.0.0.1", good, func() string { return s.dsn("collector", "sslmode=verify-ca&sslrootcert="+s.file("ca.pem", s.ca.PEM)) }, 0},
		{"unverified here", "tls.mode", Info, "does not matter on this machine", good, func() string { return s.dsn("collector", "sslmode=require") }, 0},
		{"CA about to expire", "tls.ca", Warning, "the CA CA of a test expires", good, func() string { return s.verified("collector") }, 340 * 24 * time.Hour},
		{"CA expired", "tls.ca", Error, "has expired", good, func() string { return s.verified("collector") }, 400 * 24 * time.Hour},
		{"a CA that is none", "database.url", Error, "holds no certificate", good, func() string {
			return s.dsn("collector", "sslmode=verify-full&sslrootcert="+s.file("none.pem", []byte("x")))
		}, 0},
		{"client's key is open", "tls.client", Error, "every user of this machine", good, func() string { return s.verified("collector") + client(100*24*time.Hour, 0o644) }, 0},
		{"client's certificate expires", "tls.client", Warning, "the client's certificate collector expires", good, func() string { return s.verified("collector") + client(5*24*time.Hour, 0o600) }, 0},
		{"client's certificate expired", "tls.client", Error, "the client's certificate collector has expired", good, func() string { return s.verified("collector") + client(-time.Hour, 0o600) }, 0},
		{"password file is open", "tls.client", Error, "every user of this machine", good, func() string {
			path := s.file("pass", []byte("x"))
			require.NoError(t, os.Chmod(path, 0o644))
			return s.verified("collector") + "&passfile=" + path
		}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.show(c.server)
			b := setupHere(t)
			b.use(c.dsn())
			if c.late > 0 {
				b.now = shifted(c.late)
			}
			report := b.examine()
			requireFinding(t, report, c.id, c.level, c.seen)
			require.NotContains(t, listed(report.Findings), password)
		})
	}
}

// A host that is not this machine need not answer to tell how it would be spoken
// to.
func TestPlaintextToAnotherMachineIsAnError(t *testing.T) {
	t.Parallel()
	for mode, want := range map[string]struct {
		level Level
		seen  string
	}{
		"disable": {Error, "plaintext to db.invalid is allowed"},
		"prefer":  {Error, "plaintext to db.invalid is allowed"},
		"require": {Warning, "the certificate of db.invalid is not verified"},
	} {
		b := setupHere(t)
		b.use("postgres://u@db.invalid/dwcp?sslmode=" + mode)
		requireFinding(t, b.examine(), "tls.mode", want.level, want.seen)
	}
}

func TestAStandbyAndReadOnlyAreFound(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.exec("ALTER ROLE LOGIN_NAME SET default_transaction_read_only = on")
	requireFinding(t, b.examine(), "database.writable", Error, "default_transaction_read_only is on")
	b.as(Reader)
	requireFinding(t, b.examine(), "database.writable", OK, "only read")
}

const bouncerConfig = `[databases]
telemetry = host=%s port=5432 dbname=%s user=%s
[pgbouncer]
listen_addr =
listen_port = 6432
unix_socket_dir = %s
auth_type = any
pool_mode = transaction
`

func TestAPoolerInBetweenIsNoticed(t *testing.T) {
	t.Parallel()
	program := needtest.Program(t, "apt-get install pgbouncer", "pgbouncer", "/usr/sbin/pgbouncer") // Debian's place, not on everybody's PATH
	b := setup(t)
	dsn := b.pooled(program)
	b.set(envDatabase, dsn)
	b.set(envMaintenance, dsn)
	report := b.examine()
	requireFinding(t, report, "database.pooler", Info, "is in between")
	requireFinding(t, report, "database.pooler", Error, "is in between")
	requireFinding(t, report, "roles.purpose", OK, "has all that a writer needs")
	requireFinding(t, report, "clock.skew", OK, "PostgreSQL's clock is")
}

// pooled starts PgBouncer in transaction mode before the database and returns
// the DSN of the writer behind it.
func (b *testBundle) pooled(program string) string {
	b.Helper()
	info, err := os.Stat(pgtest.Server(b).DataDir())
	require.NoError(b, err)
	owner := info.Sys().(*syscall.Stat_t) // like PostgreSQL it refuses root
	dir, err := os.MkdirTemp("/tmp", "dwcp-bouncer-")
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, os.RemoveAll(dir)) })
	config, err := pgx.ParseConfig(b.database())
	require.NoError(b, err)
	file := filepath.Join(dir, "pgbouncer.ini")
	require.NoError(b, os.WriteFile(file, fmt.Appendf(nil, bouncerConfig, config.Host, config.Database, config.User, dir), 0o644))
	require.NoError(b, os.Chown(dir, int(owner.Uid), int(owner.Gid)))
	cmd := exec.CommandContext(b.Context(), program, "--quiet", file)
	cmd.Dir, cmd.SysProcAttr = "/", &syscall.SysProcAttr{}
	if os.Geteuid() == 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: owner.Uid, Gid: owner.Gid}
	}
	require.NoError(b, cmd.Start())
	b.Cleanup(func() { _ = cmd.Wait() }) // killed with the test's context
	dsn := fmt.Sprintf("host=%s port=6432 dbname=telemetry user=anyone", dir)
	require.Eventually(b, func() bool {
		conn, err := pgx.Connect(b.Context(), dsn)
		return err == nil && conn.Close(b.Context()) == nil
	}, waitLimit, waitTick)
	return dsn
}

// shownBy is the serial number of the certificate that a PostgreSQL shows, 0
// where it shows none.
func shownBy(t testing.TB, port int) int64 {
	t.Helper()
	config, err := pgconn.ParseConfig(fmt.Sprintf("postgres://collector:%s@127.0.0.1:%d/dwcp?sslmode=require", password, port))
	require.NoError(t, err)
	conn, err := pgconn.ConnectConfig(t.Context(), config)
	if err != nil {
		return 0
	}
	defer func() { _ = conn.Close(t.Context()) }()
	return conn.Conn().(*tls.Conn).ConnectionState().PeerCertificates[0].SerialNumber.Int64()
}
