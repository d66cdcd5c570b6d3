package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/novacron/dwcp-telemetry/exporter/pgtelemetry"
)

// connection is a target that is being looked at.
type connection struct {
	*examination
	target
	config *pgx.ConnConfig
	conn   *pgx.Conn
}

// What is looked at of each login, and what of a database once.
var (
	ofLogin = []string{"database.pooler", "database.writable", "tls.server", "roles.purpose", "roles.excess",
		"schema.migrations", "postgres.connections", "postgres.timeouts"}
	ofDatabase = []string{"roles.public", "schema.table", "partitions.ahead", "partitions.expired",
		"partitions.leftovers", "partitions.maintenance", "clock.skew", "postgres.version", "postgres.durability",
		"postgres.temp", "postgres.wal", "postgres.timezone", "postgres.autovacuum", "disk.postgres"}
	ofKey = []string{"key.id", "key.unchanged"}
)

// database looks at one login's database, at what is the same for all logins
// only where it is the first.
func (e *examination) database(ctx context.Context, s *series, t target, first bool) {
	c := &connection{examination: e, target: t}
	if t.dsn == "" && e.atCollector() && !e.set.writes {
		s.skip(t.variable, "the configuration writes into no PostgreSQL: it is an agent's", "database.url")
		return
	}
	behind := ofLogin
	if first {
		behind = append(append([]string{}, behind...), ofDatabase...)
		if e.atCollector() {
			behind = append(behind, ofKey...)
		}
	}
	if s.look(ctx, "database.url", t.variable, c.lookAtURL) == Error {
		s.skip(t.variable, "there is no usable URL; see database.url", append([]string{"database.hosts", "database.login", "tls.mode", "tls.ca", "tls.client"}, behind...)...)
		return
	}
	s.look(ctx, "tls.mode", t.variable, c.lookAtMode)
	s.look(ctx, "tls.ca", t.variable, c.lookAtCA)
	s.look(ctx, "tls.client", t.variable, c.lookAtClientFiles)
	if s.look(ctx, "database.hosts", t.variable, c.lookAtHosts) == Error {
		s.skip(t.variable, "no host can be reached; see database.hosts", append([]string{"database.login"}, behind...)...)
		return
	}
	var refused error
	if s.look(ctx, "database.login", t.variable, func(ctx context.Context, l *look) { refused = c.lookAtLogin(ctx, l) }) == Error {
		s.look(ctx, "tls.server", t.variable, func(_ context.Context, l *look) { lookAtRefusedCertificate(l, refused) })
		s.skip(t.variable, "there is no connection; see database.login", without(behind, "tls.server")...)
		return
	}
	defer func() { c.close(ctx) }()
	c.lookBehind(ctx, s, first)
}

func (c *connection) close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.Timeout)
	defer cancel()
	_ = c.conn.Close(ctx)
}

// lookBehind looks at what takes a connection.
func (c *connection) lookBehind(ctx context.Context, s *series, first bool) {
	take := func(id string, at func(context.Context, *look, pgx.Tx)) {
		s.look(ctx, id, c.variable, func(ctx context.Context, l *look) {
			l.trouble(c.reading(ctx, func(tx pgx.Tx) { at(ctx, l, tx) }))
		})
	}
	s.look(ctx, "tls.server", c.variable, c.lookAtServerCertificate)
	take("database.pooler", c.lookForPooler)
	take("database.writable", c.lookWhetherWritable)
	take("roles.purpose", c.lookAtPurpose)
	take("roles.excess", c.lookAtExcess)
	take("schema.migrations", c.lookAtMigrations)
	take("postgres.connections", c.lookAtConnections)
	take("postgres.timeouts", c.lookAtTimeouts)
	if !first {
		return
	}
	take("roles.public", c.lookAtPublic)
	take("schema.table", c.lookAtTable)
	c.lookAtPartitions(ctx, s)
	take("clock.skew", c.lookAtClock)
	take("postgres.version", c.lookAtVersion)
	take("postgres.durability", c.lookAtDurability)
	take("postgres.temp", c.lookAtTemp)
	take("postgres.wal", c.lookAtWAL)
	take("postgres.timezone", c.lookAtTimezone)
	take("postgres.autovacuum", c.lookAtAutovacuum)
	take("disk.postgres", c.lookAtSpace)
	switch {
	case !c.atCollector():
	case len(c.set.keys) == 0 || c.set.keys[0].id == "":
		s.skip(c.variable, "the configuration names no key", ofKey...)
	case c.set.noSecret != "":
		take("key.id", c.lookAtKeyID)
		s.skip(c.variable, c.set.noSecret, "key.unchanged")
	default:
		take("key.id", c.lookAtKeyID)
		if c.set.keys[0].file == "" {
			take("key.age", c.lookAtKeyAge)
		}
		take("key.unchanged", c.lookWhetherKeyChanged)
	}
}

// reading runs a look in a transaction that cannot change anything, on a new
// connection where an earlier look has lost the last one. Its error is that of
// getting there.
func (c *connection) reading(ctx context.Context, at func(pgx.Tx)) error {
	if c.conn.IsClosed() {
		conn, err := pgx.ConnectConfig(ctx, c.config)
		if err != nil {
			return err
		}
		c.conn = conn
	}
	tx, err := c.conn.BeginTx(ctx, pgx.TxOptions{AccessMode: pgx.ReadOnly})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // nothing was written
	// Compiling a look takes longer than the look.
	if _, err := tx.Exec(ctx, "SET LOCAL jit = off"); err != nil {
		return err
	}
	at(tx)
	return nil
}

func (c *connection) lookAtURL(_ context.Context, l *look) {
	if c.dsn == "" && c.env["PGHOST"] == "" && c.env["PGSERVICE"] == "" {
		l.wrong("export "+c.variable+"='postgres://collector:…@db/telemetry?sslmode=verify-full'",
			"not set, nor are PGHOST and PGSERVICE; doctor starts no PostgreSQL of its own as other commands do")
		return
	}
	config, err := pgtelemetry.ConnectionOf(c.dsn)
	if err != nil {
		l.wrong("correct it: docs/collector.md, and exporter/pgtelemetry/README.md#connection", "%s", strings.TrimPrefix(err.Error(), "dsn: "))
		return
	}
	c.config = config
	c.hide.add(config.Password)
	c.config.RuntimeParams["application_name"] = "dwcp-telemetry doctor"
	// Each host has its share of the time.
	c.config.ConnectTimeout = min(c.config.ConnectTimeout, c.Timeout/time.Duration(len(c.hosts())))
	if c.purpose == Reader {
		c.config.ValidateConnect = nil // a standby serves as well
	}
	l.ok("%s on %s as %s, for the %s", config.Database, config.Host, config.User, c.purpose)
}

// host is one of a URL.
type host struct {
	name string
	port uint16
}

func (c *connection) hosts() (all []host) {
	seen := map[host]bool{}
	add := func(h host) {
		if !seen[h] {
			seen[h] = true
			all = append(all, h)
		}
	}
	add(host{c.config.Host, c.config.Port})
	for _, f := range c.config.Fallbacks {
		add(host{f.Host, f.Port})
	}
	return all
}

func (h host) isSocket() bool {
	return strings.HasPrefix(h.name, "/") || strings.HasPrefix(h.name, "@")
}

// isHere reports that it is this machine.
func (h host) isHere() bool { return h.isSocket() || isLoopback(h.name) }

// lookAtHosts tries all at once: one that does not answer takes no time from
// the others.
func (c *connection) lookAtHosts(ctx context.Context, l *look) {
	all := c.hosts()
	refused := make([]error, len(all))
	var trying sync.WaitGroup
	for i, h := range all {
		trying.Go(func() {
			network, address := pgconn.NetworkAddress(h.name, h.port)
			conn, err := new(net.Dialer).DialContext(ctx, network, address)
			if refused[i] = err; err == nil {
				_ = conn.Close()
			}
		})
	}
	trying.Wait()
	reached := 0
	for i, h := range all {
		if refused[i] == nil {
			reached++
			l.ok("%s port %d answers", h.name, h.port)
			continue
		}
		do := "look whether PostgreSQL runs there and listens on that address, and at firewalls in between"
		var unknown *net.DNSError
		if errors.As(refused[i], &unknown) {
			do = "correct the host's name, or look at DNS: getent hosts " + h.name
		}
		l.warn(do, "%s", reason(refused[i]))
	}
	if reached == 0 {
		for i := range l.found {
			l.found[i].Level = Error
		}
	}
}

func (c *connection) lookAtLogin(ctx context.Context, l *look) (refused error) {
	conn, err := pgx.ConnectConfig(ctx, c.config)
	if err != nil {
		if c.purpose == Maintainer {
			l.wrong(forMaintenance(pgtelemetry.Advice(err)), "%s", reason(err))
		} else {
			l.wrong(pgtelemetry.Advice(err), "%s", reason(err))
		}
		return err
	}
	c.conn = conn
	l.ok("connected as %s", c.config.User)
	return nil
}

// forMaintenance is for advices that speak of the writer's role.
func forMaintenance(advice string) string {
	return strings.ReplaceAll(advice, roleOf[Writer], roleOf[Maintainer])
}

// lookForPooler compares the server's process with the one that was named when
// the connection was made: a pooler names one of its own.
func (c *connection) lookForPooler(ctx context.Context, l *look, tx pgx.Tx) {
	var pid uint32
	if err := tx.QueryRow(ctx, "SELECT pg_backend_pid()").Scan(&pid); err != nil {
		l.trouble(err)
		return
	}
	switch {
	case pid == tx.Conn().PgConn().PID():
		l.ok("the connection leads to PostgreSQL itself")
	case c.purpose == Maintainer:
		l.wrong("let "+c.variable+" lead to PostgreSQL itself: maintenance holds a lock of its session", "a pooler, PgBouncer perhaps, is in between")
	case c.purpose == Writer:
		l.info("", "a pooler, PgBouncer perhaps, is in between: the collector can do with it, also in transaction mode; what doctor says of TLS and hosts is about the pooler")
	default:
		l.info("", "a pooler, PgBouncer perhaps, is in between: a command that fails there wants PostgreSQL's own address")
	}
}

func (c *connection) lookWhetherWritable(ctx context.Context, l *look, tx pgx.Tx) {
	var standby bool
	var readOnly string
	if err := tx.QueryRow(ctx, "SELECT pg_is_in_recovery(), current_setting('default_transaction_read_only')").Scan(&standby, &readOnly); err != nil {
		l.trouble(err)
		return
	}
	name := pgx.Identifier{c.config.User}.Sanitize()
	switch {
	case c.purpose == Reader:
		l.ok("it is only read")
	case standby:
		l.wrong("name the primary, or all hosts: the one that can be written to is found", "it is a standby")
	case readOnly == "on":
		l.wrong(fmt.Sprintf("ALTER ROLE %s RESET default_transaction_read_only; and look at the database's and the server's setting", name), "default_transaction_read_only is on")
	default:
		l.ok("it can be written to")
	}
}

func without(all []string, one string) (rest []string) {
	for _, each := range all {
		if each != one {
			rest = append(rest, each)
		}
	}
	return rest
}
