package pgtelemetry

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// pool returns the settings of the connection pool. All that a connection
// string or the environment points to, certificates, keys, password and service
// files, is read again for each new connection, so that a rotation needs no
// restart: no connection is older than connection_max_lifetime.
func (c *Config) pool() (*pgxpool.Config, error) {
	pool, err := c.parseDSN()
	if err != nil {
		return nil, err
	}
	pool.MaxConns, pool.MinConns = c.Connections, 0
	// With the jitter, connections do not all end in the same moment.
	pool.MaxConnLifetimeJitter = c.ConnectionMaxLifetime / 10
	pool.MaxConnLifetime = c.ConnectionMaxLifetime - pool.MaxConnLifetimeJitter
	pool.MaxConnIdleTime = c.ConnectionMaxIdleTime
	pool.BeforeConnect = func(_ context.Context, conn *pgx.ConnConfig) error {
		fresh, err := c.parseDSN()
		if err != nil {
			return fmt.Errorf("connect to PostgreSQL: %w", err)
		}
		*conn = *fresh.ConnConfig
		return nil
	}
	return pool, nil
}

const (
	applicationName = "otelcol-dwcp"
	// connectTimeout bounds the attempt at one host where neither DSN nor
	// environment does, so that a host that does not answer leaves time for the
	// next one.
	connectTimeout = 10 * time.Second
)

// parseDSN reads the DSN as libpq would, with what the environment adds to it.
func (c *Config) parseDSN() (*pgxpool.Config, error) {
	if c.DSN == "" && os.Getenv("PGHOST") == "" && os.Getenv("PGSERVICE") == "" {
		return nil, errors.New("dsn: must be set (in the default configuration by DWCP_DATABASE_URL), or PGHOST or PGSERVICE in the environment")
	}
	pool, err := pgxpool.ParseConfig(string(c.DSN))
	if err != nil {
		return nil, explainDSN(err)
	}
	conn := pool.ConnConfig
	if err := c.MinSSLMode.permits(&conn.Config); err != nil {
		return nil, err
	}
	conn.RuntimeParams["client_encoding"] = "UTF8"
	switch {
	case c.ApplicationName != "":
		conn.RuntimeParams["application_name"] = c.ApplicationName
	case conn.RuntimeParams["application_name"] == "":
		conn.RuntimeParams["application_name"] = applicationName
	}
	if conn.ConnectTimeout == 0 {
		conn.ConnectTimeout = connectTimeout
	}
	// Of several servers it must be the one that can be written to, whether
	// target_session_attrs says so or not.
	if conn.ValidateConnect == nil && severalHosts(&conn.Config) {
		conn.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
	// Statements are few and each batch has one of a kind: nothing to gain from
	// preparing them, and PgBouncer in transaction mode could not follow.
	conn.DefaultQueryExecMode = pgx.QueryExecModeExec
	return pool, nil
}

// severalHosts tells hosts from the same host with and without TLS.
func severalHosts(conn *pgconn.Config) bool {
	for _, other := range conn.Fallbacks {
		if other.Host != conn.Host || other.Port != conn.Port {
			return true
		}
	}
	return false
}

// dsnError is a problem with what the DSN says or points to. It names the
// setting and never a value: pgx repeats parts of a DSN it cannot parse, and
// those may be a password.
type dsnError struct{ setting, problem string }

func (e *dsnError) Error() string { return "dsn: " + e.setting + ": " + e.problem }

// dsnProblems are pgx's words for what may be wrong with a file or a word that
// the DSN names, and ours. The first that fits counts.
var dsnProblems = []struct{ pgx, setting, problem string }{
	{"unable to read CA file", "sslrootcert", "the file cannot be read"},
	{"unable to add CA to cert pool", "sslrootcert", "the file holds no certificate in PEM form"},
	{"unable to load system certificate pool", "sslrootcert", "the system's certificates cannot be read"},
	{"unable to read sslkey", "sslkey", "the file cannot be read"},
	{"failed to decode sslkey", "sslkey", "the file holds no key in PEM form"},
	{"unable to find sslpassword", "sslpassword", "is needed, for the key in sslkey is encrypted"},
	{"unable to decrypt key", "sslpassword", "does not open the key in sslkey"},
	{"unable to read cert", "sslcert", "the file cannot be read"},
	{"unable to load cert", "sslcert", "the file holds no certificate in PEM form, or not the one of the key in sslkey"},
	{`both "sslcert" and "sslkey" are required`, "sslcert", "sslcert and sslkey go together"},
	{"sslmode is invalid", "sslmode", "must be disable, allow, prefer, require, verify-ca or verify-full"},
	{"unknown target_session_attrs value", "target_session_attrs", "must be any, read-write or primary (read-only, standby and prefer-standby cannot be written to)"},
	{"failed to read service file", "servicefile", "the file (PGSERVICEFILE, ~/.pg_service.conf) cannot be read"},
	{"unable to find service", "service", "the service file does not have it"},
	{"invalid connect_timeout", "connect_timeout", "must be seconds"},
	{"cannot parse pool_", "pool_…", "use the exporter's own keys instead"},
}

const unparsable = "dsn: must be a PostgreSQL URL (postgres://user:password@host:port/database?sslmode=verify-full) or keyword=value string; what is set cannot be parsed"

func explainDSN(err error) error {
	// The outer text repeats the DSN up to here.
	_, text, _ := strings.Cut(err.Error(), "`: ")
	for _, known := range dsnProblems {
		if strings.Contains(text, known.pgx) {
			return &dsnError{known.setting, known.problem}
		}
	}
	return errors.New(unparsable)
}

// beginStatement begins a batch's transaction. The limits are its own: PgBouncer
// in transaction mode refuses them as parameters of a connection and would hand
// on to others what is set for a session. At READ COMMITTED, whatever the login's
// default, for its last statement to see who is forgotten by then.
//
// A collector that is gone without a word, its host without power say, must not keep its
// uncommitted keys: another one that got the same batch waits for them. The
// server sees it by keepalives, which the system's defaults first send after two hours, and
// a frozen process by its idle transaction.
func (c *Config) beginStatement() string {
	statement := c.StatementTimeout
	if statement == 0 {
		statement = c.TimeoutConfig.Timeout
	}
	return fmt.Sprintf("BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL statement_timeout = %d; SET LOCAL lock_timeout = %d; "+
		"SET LOCAL idle_in_transaction_session_timeout = %[1]d; "+
		"SET LOCAL tcp_keepalives_idle = 30; SET LOCAL tcp_keepalives_interval = 10; SET LOCAL tcp_keepalives_count = 3",
		statement.Milliseconds(), c.LockTimeout.Milliseconds())
}

// abandon gives up all connections where an error says that they lead to a
// server that cannot be written to any more: after a failover the next ones find
// the primary.
func (w *writer) abandon(err error) {
	if sqlstate(err) == readOnly {
		w.pool.Reset()
	}
}

// validateConnection checks what belongs to connections.
func (c *Config) validateConnection() (problems []error) {
	within := func(key string, d, least time.Duration) {
		if d < least || d > maxDuration {
			problems = append(problems, fmt.Errorf("%s: must be %s..%s, got %s", key, least, maxDuration, d))
		}
	}
	if err := c.MinSSLMode.validate(); err != nil {
		problems = append(problems, err)
	} else if _, err := c.pool(); err != nil {
		problems = append(problems, err)
	}
	within("connection_max_lifetime", c.ConnectionMaxLifetime, time.Second)
	within("connection_max_idle_time", c.ConnectionMaxIdleTime, time.Second)
	within("statement_timeout", c.StatementTimeout, 0)
	within("lock_timeout", c.LockTimeout, 0)
	if len(c.ApplicationName) > maxApplicationName || strings.ContainsRune(c.ApplicationName, 0) {
		problems = append(problems, fmt.Errorf("application_name: must be at most %d bytes without NUL, got %q", maxApplicationName, c.ApplicationName))
	}
	return problems
}

const (
	maxDuration        = 24 * time.Hour
	maxApplicationName = 63 // PostgreSQL cuts it there
)
