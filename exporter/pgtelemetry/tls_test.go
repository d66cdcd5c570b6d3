package pgtelemetry

import (
	"crypto/tls"
	"fmt"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zaptest/observer"

	"github.com/novacron/dwcp-telemetry/internal/certtest"
	"github.com/novacron/dwcp-telemetry/internal/localpg"
	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
	"github.com/novacron/dwcp-telemetry/migrations"
)

const password = "open-sesame-41"

// secured is a PostgreSQL that lets in over TLS only: the user certified with a
// client certificate, the user collector with a password.
type secured struct {
	*localpg.Server
	port  int
	admin *pgx.Conn
	files string // of the clients
}

// startOwn starts a PostgreSQL of the test's own with a migrated database and
// logins that are dwcp_writer.
func startOwn(t *testing.T, config localpg.Config, logins ...string) (*localpg.Server, *pgx.Conn) {
	t.Helper()
	source, err := localpg.SourceFromEnv()
	require.NoError(t, err)
	config.Source, config.FastUnsafe = source, true
	server, err := localpg.Start(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Stop()) })
	require.NoError(t, server.CreateDatabase(t.Context(), "dwcp"))
	_, err = migrations.Up(t.Context(), server.AdminURL("dwcp"))
	require.NoError(t, err)
	admin := pgtest.Connect(t, server.AdminURL("dwcp"))
	for _, login := range logins {
		_, err := admin.Exec(t.Context(), fmt.Sprintf("CREATE ROLE %s LOGIN PASSWORD '%s' IN ROLE dwcp_writer", login, password))
		require.NoError(t, err)
	}
	return server, admin
}

func startSecured(t *testing.T, ca *certtest.Authority) *secured {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &secured{port: free.Addr().(*net.TCPAddr).Port, files: t.TempDir()}
	require.NoError(t, free.Close())
	s.Server, s.admin = startOwn(t, localpg.Config{Port: s.port}, "certified", "collector")
	putOwned(t, filepath.Join(s.DataDir(), "pg_hba.conf"), []byte(`local all all trust
hostssl dwcp certified 127.0.0.1/32 cert
hostssl dwcp collector 127.0.0.1/32 scram-sha-256
`))
	for _, setting := range []string{"ssl = on", "ssl_cert_file = 'server.crt'", "ssl_key_file = 'server.key'", "ssl_ca_file = 'ca.crt'"} {
		_, err := s.admin.Exec(t.Context(), "ALTER SYSTEM SET "+setting)
		require.NoError(t, err)
	}
	s.use(t, ca, ca.Issue(t, "127.0.0.1", certtest.Valid()))
	return s
}

// use gives the server another certificate and the CA that it trusts, and waits
// until it shows it.
func (s *secured) use(t *testing.T, trusted *certtest.Authority, own certtest.Pair) {
	t.Helper()
	for name, content := range map[string][]byte{"ca.crt": trusted.PEM, "server.crt": own.Certificate, "server.key": own.Key} {
		putOwned(t, filepath.Join(s.DataDir(), name), content)
	}
	_, err := s.admin.Exec(t.Context(), "SELECT pg_reload_conf()")
	require.NoError(t, err)
	require.Eventually(t, func() bool { return s.shown(t) == own.Serial }, time.Minute, 10*time.Millisecond)
}

// shown is the serial number of the certificate that the server shows.
func (s *secured) shown(t *testing.T) int64 {
	t.Helper()
	config, err := pgconn.ParseConfig(s.dsn("collector", "sslmode=require password="+password))
	require.NoError(t, err)
	conn, err := pgconn.ConnectConfig(t.Context(), config)
	if err != nil {
		return 0
	}
	defer func() { _ = conn.Close(t.Context()) }()
	return conn.Conn().(*tls.Conn).ConnectionState().PeerCertificates[0].SerialNumber.Int64()
}

func (s *secured) dsn(user, more string) string {
	return fmt.Sprintf("host=127.0.0.1 port=%d dbname=dwcp user=%s %s", s.port, user, more)
}

// file writes a client's file and returns its path.
func (s *secured) file(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(s.files, name)
	certtest.Put(t, path, content)
	return path
}

// client writes a client certificate's files and returns what a DSN says of
// them.
func (s *secured) client(t *testing.T, name string, own certtest.Pair) string {
	t.Helper()
	return fmt.Sprintf(" sslcert=%s sslkey=%s", s.file(t, name+".crt", own.Certificate), s.file(t, name+".key", own.Key))
}

// clientSerial is that of the certificate the collector's newest connection
// came with.
func (s *secured) clientSerial(t *testing.T) (serial int64) {
	t.Helper()
	require.NoError(t, s.admin.QueryRow(t.Context(), `SELECT coalesce(max(client_serial), 0)::int8 FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
		WHERE usename = 'certified' AND ssl`).Scan(&serial))
	return serial
}

// troubleOf waits for the log's line about writing and returns its error and
// advice.
func troubleOf(t require.TestingT, log *observer.ObservedLogs) (problem, advice string) {
	lines := log.FilterMessage(inTrouble[writing]).All()
	require.NotEmpty(t, lines)
	fields := lines[len(lines)-1].ContextMap()
	return fmt.Sprint(fields["error"]), fmt.Sprint(fields["advice"])
}

// requireSilent makes sure that no line of the log holds a secret.
func requireSilent(t *testing.T, log *observer.ObservedLogs) {
	t.Helper()
	for _, line := range log.All() {
		require.NotContains(t, fmt.Sprint(line.Message, line.ContextMap()), password)
		require.NotContains(t, fmt.Sprint(line.Message, line.ContextMap()), "PRIVATE KEY")
	}
}

func TestWhatIsWrongWithTLSIsToldWithWhatToDo(t *testing.T) { //nolint:tparallel // the cases take turns with the server's certificate
	t.Parallel()
	ca, stranger := certtest.New(t), certtest.New(t)
	s := startSecured(t, ca)
	good := ca.Issue(t, "127.0.0.1", certtest.Valid())
	root := "sslmode=verify-full sslrootcert=" + s.file(t, "ca.crt", ca.PEM)
	client := s.client(t, "client", ca.Issue(t, "certified", certtest.Valid()))
	now := (&testBundle{now: time.Now().UTC()})

	for name, c := range map[string]struct {
		server               certtest.Pair
		dsn, problem, advice string
	}{
		"certificate": {good, s.dsn("certified", root+client), "", ""},
		"password":    {good, s.dsn("collector", root+" password="+password), "", ""},
		"wrong name": {ca.Issue(t, "db.example.com", certtest.Valid()), s.dsn("collector", root+" password="+password),
			"doesn't contain any IP SANs", "is for another host"},
		"wrong CA": {good, s.dsn("collector", "password="+password+" sslmode=verify-full sslrootcert="+s.file(t, "other.crt", stranger.PEM)),
			"signed by unknown authority", "no certificate in sslrootcert has signed"},
		"expired": {ca.Issue(t, "127.0.0.1", certtest.Expired()), s.dsn("collector", root+" password="+password),
			"expired", "renew it"},
		"not yet valid": {ca.Issue(t, "127.0.0.1", certtest.NotYetValid()), s.dsn("collector", root+" password="+password),
			"not yet valid", "renew it"},
		"no client certificate": {good, s.dsn("certified", root+" password="+password),
			"requires a valid client certificate", "client certificate (sslcert, sslkey)"},
		"client certificate of another CA": {good, s.dsn("certified", root+s.client(t, "stranger", stranger.Issue(t, "certified", certtest.Valid()))),
			"unknown certificate authority", "as a rule for the client's certificate"},
		"client certificate of another user": {good, s.dsn("certified", root+s.client(t, "mallory", ca.Issue(t, "mallory", certtest.Valid()))),
			"authentication failed", "client certificate (sslcert, sslkey)"},
		"wrong password": {good, s.dsn("collector", root+" password=wrong-"+password), "password authentication failed", "check user and password"},
		"no TLS":         {good, s.dsn("collector", "sslmode=disable password="+password), "no encryption", "pg_hba.conf"},
	} {
		t.Run(name, func(t *testing.T) {
			s.use(t, ca, c.server)
			exporter, log := startExporter(t, c.dsn)
			push := func() error { return exporter.ConsumeLogs(t.Context(), logsOf(now.fresh(3)...)) }
			if c.problem == "" {
				require.NoError(t, push())
				requireSilent(t, log)
				return
			}
			// In TLS 1.3 the server judges the client's certificate when the client
			// is done already: its alert may be lost to the end of the connection.
			require.EventuallyWithT(t, func(t *assert.CollectT) {
				require.ErrorContains(t, push(), "PostgreSQL cannot be reached (SQLSTATE ")
				problem, advice := troubleOf(t, log)
				require.Contains(t, problem, c.problem)
				require.Contains(t, advice, c.advice)
			}, time.Minute, 10*time.Millisecond)
			requireSilent(t, log)
		})
	}
}

func TestCertificatesAreRotatedWithoutARestart(t *testing.T) {
	t.Parallel()
	first, second := certtest.New(t), certtest.New(t)
	s := startSecured(t, first)
	one, two := first.Issue(t, "certified", certtest.Valid()), second.Issue(t, "certified", certtest.Valid())
	root := s.file(t, "ca.crt", first.PEM)
	exporter, log := startExporter(t, s.dsn("certified", "sslmode=verify-full sslrootcert="+root+s.client(t, "client", one)),
		func(c *Config) { c.ConnectionMaxLifetime = time.Second })
	rows := (&testBundle{now: time.Now().UTC()}).fresh(5)
	push := func(i int) error { return exporter.ConsumeLogs(t.Context(), logsOf(rows[i])) }
	require.NoError(t, push(0))
	require.Equal(t, one.Serial, s.clientSerial(t))

	// Everything is new, the CA too; connections that are open stay so.
	s.use(t, second, second.Issue(t, "127.0.0.1", certtest.Valid()))
	certtest.Put(t, root, second.PEM)
	s.client(t, "client", two)
	require.Eventually(t, func() bool {
		require.NoError(t, push(1))
		return s.clientSerial(t) == two.Serial
	}, time.Minute, 100*time.Millisecond)

	// What a careless rotation leaves behind is told by its kind, not its content.
	certtest.Put(t, root, []byte(password))
	require.Eventually(t, func() bool { return push(2) != nil }, time.Minute, 100*time.Millisecond)
	problem, advice := troubleOf(t, log)
	require.Contains(t, problem, "dsn: sslrootcert: the file holds no certificate in PEM form")
	require.Contains(t, advice, "put the file of sslrootcert in order")
	requireSilent(t, log)
	certtest.Put(t, root, second.PEM)
	require.Eventually(t, func() bool { return push(2) == nil }, time.Minute, 100*time.Millisecond)
	require.Len(t, (&testBundle{admin: s.admin}).stored(t), 3)
}
