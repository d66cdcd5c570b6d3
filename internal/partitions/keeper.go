package partitions

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Keeper does rounds of maintenance. It is safe for concurrent use.
type Keeper struct {
	settings Settings

	detachWait time.Duration // for transactions that were there before a DETACH
	batchRows  int           // deleted or folded in one transaction
	pause      time.Duration // between two of them

	// What tests change.
	later time.Duration           // how far PostgreSQL's clock is thought to be ahead
	after func(moment, on string) // something was done
}

// New returns a keeper that goes by those settings, which must be valid.
func New(s Settings) *Keeper {
	return &Keeper{
		settings: s, detachWait: 10 * time.Second, batchRows: 5000, pause: 50 * time.Millisecond,
		after: func(string, string) {},
	}
}

// Report is what a round did.
type Report struct {
	Now    time.Time `json:"now"`
	Cutoff time.Time `json:"cutoff"`

	// Busy says that another session is at it and this one did nothing.
	Busy    bool      `json:"busy"`
	Created []string  `json:"created"`
	Dropped []Dropped `json:"dropped"`
	Trimmed int64     `json:"trimmed"` // rows deleted from partitions that stay
	Purged  int64     `json:"purged"`  // rejected rows deleted
	Folded  int64     `json:"folded"`  // rows of the ledger that became parts of others
	// Postponed is what had to be left to the next round, with the reason.
	Postponed []string `json:"postponed,omitempty"`
	Warnings  []string `json:"warnings,omitempty"`
}

// Dropped is a partition that is gone.
type Dropped struct {
	Partition string `json:"partition"`
	Rows      int64  `json:"rows"`
}

// ErrPooler is the error for a connection on which session locks do not hold.
var ErrPooler = errors.New("the connection goes through a pooler, PgBouncer perhaps; maintenance needs a URL that leads to PostgreSQL itself")

// ErrNotMaintainer is the error for a login that may not do it.
var ErrNotMaintainer = errors.New("the login may not act as dwcp_owner: grant it the role dwcp_maintainer")

// ErrNotOwned is the error for a partition that somebody else made.
var ErrNotOwned = errors.New("it does not belong to dwcp_owner, as partitions must: ALTER TABLE … OWNER TO dwcp_owner")

// owned says so where it is why something could not be done to a partition.
func owned(err error) error {
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "42501" {
		return fmt.Errorf("%w (%w)", ErrNotOwned, err)
	}
	return err
}

// Run does one round: all that Plan says. The connection must be a direct one
// of a login with the role dwcp_maintainer, and nobody else may use it
// meanwhile. What failed does not keep the rest from being done; the report
// says what was done in any case.
func (k *Keeper) Run(ctx context.Context, conn *pgx.Conn) (*Report, error) {
	end, got, err := begin(ctx, conn)
	if err != nil {
		return &Report{}, err
	}
	defer end()
	if !got {
		return &Report{Busy: true}, nil
	}
	k.after("lock", "")
	plan, err := k.Plan(ctx, conn)
	if err != nil {
		return &Report{}, err
	}
	r := &round{Keeper: k, conn: conn, survey: &plan.Survey, report: &Report{
		Now: plan.Now, Cutoff: plan.Cutoff, Warnings: plan.Warnings, Created: []string{}, Dropped: []Dropped{},
	}}
	return r.report, r.carryOut(ctx, plan)
}

// round is one run of a keeper.
type round struct {
	*Keeper
	conn   *pgx.Conn
	survey *Survey
	report *Report
	// The partition that could not be detached: PostgreSQL detaches one at a time.
	detaching string
}

func (r *round) carryOut(ctx context.Context, plan *Plan) error {
	var problems []error
	for _, a := range plan.Actions {
		if r.detaching != "" && a.Step == Expire && a.partition.State == Expired {
			r.report.Postponed = append(r.report.Postponed, fmt.Sprintf("detach the partition %s: first %s", a.On, r.detaching))
			continue
		}
		err := r.do(ctx, a)
		switch {
		case err == nil:
		case ctx.Err() != nil:
			return errors.Join(append(problems, err)...)
		case mayPassLater(err):
			r.report.Postponed = append(r.report.Postponed, err.Error())
		default:
			problems = append(problems, err)
		}
		if r.conn.IsClosed() {
			break
		}
	}
	return errors.Join(problems...)
}

func (r *round) do(ctx context.Context, a Action) (err error) {
	switch a.Step {
	case Create:
		var made []string
		made, err = ensureCovered(ctx, r.conn, r.settings, r.survey)
		r.report.Created = append(r.report.Created, made...)
	case Expire:
		err = r.expire(ctx, a.partition)
	case Unmark:
		err = r.setMark(ctx, a.partition, "NULL")
	case Trim:
		err = r.trim(ctx, a.partition)
	case Purge:
		err = r.purge(ctx)
	case Fold:
		err = r.fold(ctx)
	}
	return err
}

// begin makes the session the owner's and tries to get the lock that only one
// session of the database has. end leaves the connection as it was.
func begin(ctx context.Context, conn *pgx.Conn) (end func(), got bool, err error) {
	var backend uint32
	if err := conn.QueryRow(ctx, "SELECT pg_backend_pid()").Scan(&backend); err != nil {
		return nil, false, fmt.Errorf("look whether the connection is a direct one: %w", err)
	}
	if backend != conn.PgConn().PID() { // a pooler tells clients a number of its own
		return nil, false, ErrPooler
	}
	end = func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		// An error means that the connection is lost, and the lock with it.
		_, _ = conn.Exec(ctx, "SELECT pg_advisory_unlock_all(); RESET ALL; RESET ROLE")
	}
	if _, err := conn.Exec(ctx, sessionSQL); err != nil {
		end()
		var pg *pgconn.PgError
		if errors.As(err, &pg) && (pg.Code == "42501" || pg.Code == "22023") { // 22023: there is no such role
			return nil, false, fmt.Errorf("%w (%w)", ErrNotMaintainer, err)
		}
		return nil, false, fmt.Errorf("begin the maintenance session: %w", err)
	}
	if err := conn.QueryRow(ctx, "SELECT pg_try_advisory_lock(hashtextextended('compression_telemetry maintenance', 0))").Scan(&got); err != nil {
		end()
		return nil, false, fmt.Errorf("get the maintenance lock: %w", err)
	}
	return end, got, nil
}

// sessionSQL: as the owner nothing may be called that others made, hence the
// search_path. A lock that is not to be had soon is left to the next round. What
// is waited for is never in the way of those who write.
const sessionSQL = `SET ROLE dwcp_owner;
SET search_path = pg_catalog, pg_temp;
SET timezone = 'UTC';
SET jit = off;
SET lock_timeout = '5s';
SET statement_timeout = 0;
SET idle_in_transaction_session_timeout = 0`

// mayPassLater reports that something was in the way that goes away by itself.
func mayPassLater(err error) bool {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return false
	}
	switch pg.Code {
	case "55P03", // lock_not_available
		"57014", // query_canceled, by statement_timeout
		"40P01", // deadlock_detected
		"40001": // serialization_failure
		return true
	}
	return false
}

// wait pauses between two batches, for others.
func (k *Keeper) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(k.pause):
		return nil
	}
}

// Table quotes the partition's name with its schema: a table of the same name in
// another one is somebody else's.
func (p Partition) Table() string {
	return pgx.Identifier{cmp.Or(p.Schema, "public"), p.Name}.Sanitize()
}
