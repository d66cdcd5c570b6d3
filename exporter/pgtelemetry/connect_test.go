package pgtelemetry

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/configopaque"

	"go.uber.org/zap"

	"github.com/novacron/dwcp-telemetry/internal/certtest"
	"github.com/novacron/dwcp-telemetry/internal/localpg"
	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
)

func withDSN(dsn string) *Config {
	config := newDefaultConfig()
	config.DSN = configopaque.String(dsn)
	return config
}

func TestWhatTheDSNNamesAndCannotBeUsedIsToldByItsSetting(t *testing.T) {
	t.Parallel()
	ca := certtest.New(t)
	dir := t.TempDir()
	file := func(name string, content []byte) string {
		certtest.Put(t, filepath.Join(dir, name), content)
		return filepath.Join(dir, name)
	}
	one, other := ca.Issue(t, "one", certtest.Valid()), ca.Issue(t, "other", certtest.Valid())
	root, crt, key := file("ca.crt", ca.PEM), file("one.crt", one.Certificate), file("one.key", one.Key)
	garbage, otherKey, missing := file("garbage", []byte("sekret")), file("other.key", other.Key), filepath.Join(dir, "missing")
	for settings, want := range map[string]string{
		"sslmode=verify-full sslrootcert=" + missing:                  "dsn: sslrootcert: the file cannot be read",
		"sslmode=verify-full sslrootcert=" + garbage:                  "dsn: sslrootcert: the file holds no certificate in PEM form",
		"sslmode=verify-full sslrootcert=" + root + " sslcert=" + crt: "dsn: sslcert: sslcert and sslkey go together",
		"sslmode=require sslcert=" + missing + " sslkey=" + key:       "dsn: sslcert: the file cannot be read",
		"sslmode=require sslcert=" + crt + " sslkey=" + missing:       "dsn: sslkey: the file cannot be read",
		"sslmode=require sslcert=" + crt + " sslkey=" + garbage:       "dsn: sslkey: the file holds no key in PEM form",
		"sslmode=require sslcert=" + crt + " sslkey=" + otherKey:      "dsn: sslcert: the file holds no certificate in PEM form, or not the one of the key in sslkey",
		"sslmode=sekret":                        "dsn: sslmode: must be disable, allow, prefer, require, verify-ca or verify-full",
		"target_session_attrs=sekret":           "dsn: target_session_attrs: must be any, read-write or primary (read-only, standby and prefer-standby cannot be written to)",
		"service=sekret servicefile=" + missing: "dsn: servicefile: the file (PGSERVICEFILE, ~/.pg_service.conf) cannot be read",
		"service=sekret servicefile=" + file("service", []byte("[other]\nhost=h\n")): "dsn: service: the service file does not have it",
		"connect_timeout=sekret": "dsn: connect_timeout: must be seconds",
		"pool_max_conns=sekret":  "dsn: pool_…: use the exporter's own keys instead",
		"port=sekret":            unparsable,
		"sekret":                 unparsable,
	} {
		err := withDSN("host=db.invalid user=writer password=sekret " + settings).Validate()
		require.EqualError(t, err, want, settings)
	}
	require.NoError(t, withDSN("host=db.invalid sslmode=verify-full sslrootcert="+root+" sslcert="+crt+" sslkey="+key).Validate())
}

func TestOfSeveralHostsTheOneThatCanBeWrittenToIsWanted(t *testing.T) {
	t.Parallel()
	for dsn, wanted := range map[string]bool{
		"host=one user=w":                              false,
		"host=one user=w sslmode=prefer":               false, // the same host twice, with and without TLS
		"host=one,two user=w":                          true,
		"host=one,one port=1,2 user=w":                 true,
		"postgres://w@one:1,two:2/d":                   true,
		"host=one user=w target_session_attrs=primary": true,
	} {
		pool, err := withDSN(dsn).pool()
		require.NoError(t, err)
		require.Equal(t, wanted, pool.ConnConfig.ValidateConnect != nil, dsn)
	}
}

func TestTheApplicationsNameIsTheConfigsThenTheDSNsThenOurs(t *testing.T) {
	t.Parallel()
	for want, config := range map[string]*Config{
		"otelcol-dwcp": withDSN("host=h user=w"),
		"theirs":       withDSN("host=h user=w application_name=theirs"),
		"ours":         withDSN("host=h user=w application_name=theirs"),
	} {
		if want == "ours" {
			config.ApplicationName = want
		}
		pool, err := config.pool()
		require.NoError(t, err)
		require.Equal(t, want, pool.ConnConfig.RuntimeParams["application_name"])
	}
}

func TestNoConnectionGetsOlderThanItMay(t *testing.T) {
	t.Parallel()
	pool, err := withDSN("host=h user=w").pool()
	require.NoError(t, err)
	require.Equal(t, 5*time.Minute, pool.MaxConnLifetime+pool.MaxConnLifetimeJitter)
	require.Equal(t, connectTimeout, pool.ConnConfig.ConnectTimeout)
}

func TestTheLimitsOfABatchAreSetInItsTransaction(t *testing.T) {
	t.Parallel()
	config := withDSN("host=h user=w")
	for _, want := range []string{"BEGIN ISOLATION LEVEL READ COMMITTED; ", "statement_timeout = 60000; ", "lock_timeout = 30000; ", "idle_in_transaction_session_timeout = 60000; "} {
		require.Contains(t, config.beginStatement(), want)
	}
	config.StatementTimeout, config.LockTimeout = 2*time.Second, 0
	for _, want := range []string{"statement_timeout = 2000; ", "lock_timeout = 0; ", "idle_in_transaction_session_timeout = 2000; "} {
		require.Contains(t, config.beginStatement(), want)
	}
}

func TestACollectorThatFreezesInABatchDoesNotKeepItFromAnotherOne(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *Config) { c.LockTimeout = 0 })
	rows := b.fresh(3)
	b.push(t, rows...)
	for _, statement := range []string{"CREATE TABLE held AS SELECT * FROM compression_telemetry", "DELETE FROM compression_telemetry"} {
		_, err := b.admin.Exec(t.Context(), statement)
		require.NoError(t, err)
	}
	frozen := pgtest.Connect(t, b.url)
	_, err := frozen.Exec(t.Context(), (&Config{StatementTimeout: 200 * time.Millisecond}).beginStatement()+
		"; INSERT INTO compression_telemetry SELECT * FROM held")
	require.NoError(t, err)
	b.push(t, rows...) // waits until the server has ended the frozen one
	b.requireStored(t, rows...)
}

func TestTheServerAsksWhetherTheHostOfABatchIsStillThere(t *testing.T) {
	t.Parallel()
	s := startSecured(t, certtest.New(t))
	conn := pgtest.Connect(t, s.dsn("collector", "sslmode=require password="+password))
	asks := func() (asks string) {
		require.NoError(t, conn.QueryRow(t.Context(), `SELECT concat_ws(' ', current_setting('tcp_keepalives_idle'),
			current_setting('tcp_keepalives_interval'), current_setting('tcp_keepalives_count'))`).Scan(&asks))
		return asks
	}
	before := asks()
	_, err := conn.Exec(t.Context(), newDefaultConfig().beginStatement())
	require.NoError(t, err)
	require.Equal(t, "30 10 3", asks())
	_, err = conn.Exec(t.Context(), "COMMIT")
	require.NoError(t, err)
	require.Equal(t, before, asks(), "nothing is left for who gets the connection next")
}

func TestALockThatIsHeldTooLongIsTold(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *Config) { c.LockTimeout = 100 * time.Millisecond })
	rows := b.fresh(3)
	tx, err := b.admin.Begin(t.Context())
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), "LOCK TABLE compression_telemetry IN ACCESS EXCLUSIVE MODE")
	require.NoError(t, err)
	err = b.ConsumeLogs(t.Context(), logsOf(rows...))
	require.ErrorContains(t, err, "55P03")
	_, advice := troubleOf(t, b.log)
	require.Contains(t, advice, "another session holds a lock on the table")
	require.NoError(t, tx.Rollback(t.Context()))
	b.push(t, rows...)
	b.requireStored(t, rows...)
}

func TestAStatementThatTakesTooLongIsEndedOnTheServer(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *Config) { c.StatementTimeout = 200 * time.Millisecond })
	for _, statement := range []string{
		"CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(10); RETURN NEW; END'",
		"CREATE TRIGGER slow BEFORE INSERT ON compression_telemetry FOR EACH ROW EXECUTE FUNCTION slow()",
	} {
		_, err := b.admin.Exec(t.Context(), statement)
		require.NoError(t, err)
	}
	require.ErrorContains(t, b.ConsumeLogs(t.Context(), logsOf(b.fresh(1)...)), "57014")
	_, advice := troubleOf(t, b.log)
	require.Contains(t, advice, "statement_timeout")
}

// No t.Parallel: it sets the variables that libpq's users set.
func TestServiceAndPasswordFilesAreReadAsLibpqDoes(t *testing.T) {
	ca := certtest.New(t)
	s := startSecured(t, ca)
	root := s.file(t, "ca.crt", ca.PEM)
	service := s.file(t, "service.conf", fmt.Appendf(nil,
		"[telemetry]\nhost=127.0.0.1\nport=%d\ndbname=dwcp\nuser=collector\nsslmode=verify-full\nsslrootcert=%s\n", s.port, root))
	passwords := s.file(t, "pgpass", fmt.Appendf(nil, "127.0.0.1:%d:dwcp:collector:%s\n", s.port, password))
	t.Setenv("PGSERVICEFILE", service)
	t.Setenv("PGSERVICE", "telemetry")
	t.Setenv("PGPASSFILE", passwords)

	exporter, log := startExporter(t, "", func(c *Config) { c.ConnectionMaxLifetime = time.Second })
	rows := (&testBundle{now: time.Now().UTC()}).fresh(4)
	require.NoError(t, exporter.ConsumeLogs(t.Context(), logsOf(rows[0])))

	// A password may change like a certificate.
	_, err := s.admin.Exec(t.Context(), "ALTER ROLE collector PASSWORD 'another'")
	require.NoError(t, err)
	require.Eventually(t, func() bool { return exporter.ConsumeLogs(t.Context(), logsOf(rows[1])) != nil }, time.Minute, 100*time.Millisecond)
	_, advice := troubleOf(t, log)
	require.Contains(t, advice, "PGPASSWORD or the password file")
	certtest.Put(t, passwords, fmt.Appendf(nil, "*:*:dwcp:collector:another\n"))
	require.NoError(t, exporter.ConsumeLogs(t.Context(), logsOf(rows[1])))

	require.NoError(t, os.Unsetenv("PGPASSFILE"))
	t.Setenv("PGPASSWORD", "another")
	other, _ := startExporter(t, "service=telemetry")
	require.NoError(t, other.ConsumeLogs(t.Context(), logsOf(rows[2])))
	require.Len(t, (&testBundle{admin: s.admin}).stored(t), 3)
}

// setReadOnly makes a server refuse writes, or take them again, as a switch of
// roles would, and waits until it is known there.
func setReadOnly(t *testing.T, admin *pgx.Conn, on bool) {
	t.Helper()
	_, err := admin.Exec(t.Context(), fmt.Sprintf("ALTER SYSTEM SET default_transaction_read_only = %t", on))
	require.NoError(t, err)
	_, err = admin.Exec(t.Context(), "SELECT pg_reload_conf()")
	require.NoError(t, err)
	require.Eventually(t, func() bool { // for those who come from now on; others hear of it in their own time
		newcomer, err := pgx.ConnectConfig(t.Context(), admin.Config())
		require.NoError(t, err)
		defer func() { require.NoError(t, newcomer.Close(t.Context())) }()
		var is bool
		require.NoError(t, newcomer.QueryRow(t.Context(), "SELECT current_setting('default_transaction_read_only')::bool").Scan(&is))
		return is == on
	}, time.Minute, 10*time.Millisecond)
}

func TestAfterAFailoverTheOtherServerIsWrittenTo(t *testing.T) {
	t.Parallel()
	one, adminOne := startOwn(t, localpg.Config{}, "collector")
	two, adminTwo := startOwn(t, localpg.Config{}, "collector")
	setReadOnly(t, adminTwo, true)
	exporter, log := startExporter(t, fmt.Sprintf("host=%s,%s port=5432 dbname=dwcp user=collector", two.SocketDir(), one.SocketDir()))
	rows := (&testBundle{now: time.Now().UTC()}).fresh(5)
	push := func(i int) error { return exporter.ConsumeLogs(t.Context(), logsOf(rows[i])) }
	stored := func(admin *pgx.Conn) int { return len((&testBundle{admin: admin}).stored(t)) }
	require.NoError(t, push(0))
	require.Equal(t, 1, stored(adminOne), "the second of the hosts, for the first cannot be written to")

	// Roles change while our connections stay open: first one where nobody can be
	// written to, then the other way round.
	setReadOnly(t, adminOne, true)
	require.Eventually(t, func() bool { return push(1) != nil }, time.Minute, 10*time.Millisecond)
	_, advice := troubleOf(t, log)
	require.Contains(t, advice, "no host of the DSN can be written to")
	setReadOnly(t, adminTwo, false)
	require.NoError(t, push(2))
	require.Equal(t, 1, stored(adminTwo))

	// One is there at once: the batch that notices is written, too.
	setReadOnly(t, adminOne, false)
	setReadOnly(t, adminTwo, true)
	before := stored(adminOne)
	require.NoError(t, push(3))
	require.Eventually(t, func() bool { return push(4) == nil && stored(adminOne) > before }, time.Minute, 10*time.Millisecond)
	require.Empty(t, log.FilterMessage(inTrouble[writing]).FilterField(zap.String("sqlstate", readOnly)).All(), "no attempt failed for it")
}

func TestAPasswordThatIsWrongDoesNotGetIntoTheError(t *testing.T) {
	t.Parallel()
	config, err := pgconn.ParseConfig("host=127.0.0.1 port=1 user=w password=sekret")
	require.NoError(t, err)
	_, err = pgconn.ConnectConfig(t.Context(), config)
	require.Error(t, err)
	require.NotContains(t, err.Error(), "sekret")
}
