package dashboard

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/novacron/dwcp-telemetry/internal/ledger"
)

// reader makes snapshots, one at a time.
type reader struct {
	pool       *pgxpool.Pool
	goal       ledger.Goal
	collectors []*collectorReader
	log        *slog.Logger

	process  string // tells the ids of this process from another's
	readings int64
	database Database
	last     *ledger.Live
}

const (
	// readLimit bounds connecting and reading together, statementTimeout what the
	// server spends on one statement, lockTimeout what of that on waiting.
	readLimit        = 10 * time.Second
	statementTimeout = 5 * time.Second
	lockTimeout      = 2 * time.Second
	connectTimeout   = 3 * time.Second
	// idleLimit is how long a connection stays that nobody needs.
	idleLimit = 30 * time.Second

	applicationName = "dwcp-telemetry dashboard"
	readerRole      = "dwcp_ml_reader"
)

func newReader(c *Config) (*reader, error) {
	pool, err := newPool(c.DatabaseURL)
	if err != nil {
		return nil, err
	}
	r := &reader{pool: pool, goal: c.Goal, log: c.Log, process: strconv.FormatInt(time.Now().UnixMilli(), 36)}
	for _, address := range c.Metrics {
		r.collectors = append(r.collectors, newCollectorReader(address, c.Log))
	}
	return r, nil
}

// newPool connects when it is first used, by one connection. What the URL and the
// environment point to, password and certificate files, is read again for each.
func newPool(url string) (*pgxpool.Pool, error) {
	config, err := parseURL(url)
	if err != nil {
		return nil, err
	}
	config.MinConns, config.MaxConns, config.MaxConnIdleTime, config.HealthCheckPeriod = 0, 1, idleLimit, idleLimit/3
	config.BeforeConnect = func(_ context.Context, conn *pgx.ConnConfig) error {
		fresh, err := parseURL(url)
		if err == nil {
			*conn = *fresh.ConnConfig
		}
		return err
	}
	return pgxpool.NewWithConfig(context.Background(), config)
}

func parseURL(url string) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, errors.New("read the database's URL: is not one that PostgreSQL understands") // pgx repeats it
	}
	conn := config.ConnConfig
	if conn.ConnectTimeout == 0 {
		conn.ConnectTimeout = connectTimeout
	}
	if conn.RuntimeParams["application_name"] == "" {
		conn.RuntimeParams["application_name"] = applicationName
	}
	conn.DefaultQueryExecMode = pgx.QueryExecModeExec // PgBouncer may be in between
	return config, nil
}

// snapshot never fails: it says what could not be read.
func (r *reader) snapshot(ctx context.Context) *Snapshot {
	ctx, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	var reading sync.WaitGroup
	for _, c := range r.collectors {
		reading.Go(func() { c.read(ctx) })
	}
	live, err := r.readLedger(ctx)
	reading.Wait()
	r.note(live, err)

	r.readings++
	s := &Snapshot{ID: fmt.Sprintf("%s-%d", r.process, r.readings), At: time.Now().UTC(), Database: r.database, Ledger: r.last, Collectors: []Collector{}}
	for _, c := range r.collectors {
		s.Collectors = append(s.Collectors, c.state)
	}
	s.Findings = findings(s)
	return s
}

// readLedger sees one moment, and can do nothing but read.
func (r *reader) readLedger(ctx context.Context) (*ledger.Live, error) {
	tx, err := r.pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // nothing was written
	if err := lessen(ctx, tx); err != nil {
		return nil, err
	}
	live, err := ledger.ReadLive(ctx, tx, r.goal)
	if err != nil {
		return nil, err
	}
	return &live, nil
}

// lessen bounds the transaction's time, and takes the reader's role where the
// login may: what an owner's login is able to do is not needed here.
func lessen(ctx context.Context, tx pgx.Tx) error {
	limits := fmt.Sprintf("SET LOCAL statement_timeout = %d; SET LOCAL lock_timeout = %d", statementTimeout.Milliseconds(), lockTimeout.Milliseconds())
	if _, err := tx.Exec(ctx, limits); err != nil {
		return err
	}
	var member bool
	err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1 AND pg_has_role(oid, 'MEMBER'))", readerRole).Scan(&member)
	if err != nil || !member {
		return err
	}
	attempt, err := tx.Begin(ctx)
	if err != nil {
		return err
	}
	if _, err := attempt.Exec(ctx, "SET LOCAL ROLE "+readerRole); err != nil {
		return attempt.Rollback(ctx) // a member that may not become it, as since 16 there are
	}
	return attempt.Commit(ctx)
}

// note keeps the last figures, and logs what changes.
func (r *reader) note(live *ledger.Live, err error) {
	was := r.database
	d := Database{Readable: err == nil, Since: was.Since, ReadAt: was.ReadAt}
	if r.readings == 0 || was.Readable != d.Readable {
		d.Since = time.Now().UTC()
	}
	if err == nil {
		r.last, d.ReadAt = live, time.Now().UTC()
	} else {
		d.Trouble, d.Advice = explain(err)
	}
	switch {
	case err == nil && r.readings > 0 && !was.Readable:
		r.log.Info("the load ledger can be read again")
	case err != nil && d.Trouble != was.Trouble:
		r.log.Warn("the load ledger cannot be read", "error", err)
	}
	r.database = d
}

func (r *reader) close() { r.pool.Close() }
