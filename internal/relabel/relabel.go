package relabel

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/novacron/dwcp-telemetry/internal/oracle"
	"github.com/novacron/dwcp-telemetry/internal/partitions"
)

// Options say which rows are labelled anew, and how.
type Options struct {
	Rule   oracle.Rule
	From   time.Time // the first moment; zero: the oldest row
	To     time.Time // the first moment that is not in it; zero: no end
	DryRun bool      // change nothing

	// Progress hears how many rows were labelled so far; may be nil.
	Progress func(rows int64)

	batchRows int           // in one transaction
	pause     time.Duration // between two
	passes    int           // over the table, the first included
	after     func() error  // a batch; for tests
}

const (
	defaultBatchRows = 2000
	defaultPause     = 10 * time.Millisecond
	// defaultPasses: each further one meets only what came during the one before.
	defaultPasses = 3
)

// ErrBusy is the error for a second run at the same time.
var ErrBusy = errors.New("another session is relabelling; two rules would undo each other's work")

// ErrNotMaintainer is the error for a login that may not do it.
var ErrNotMaintainer = errors.New("it takes a login with the role dwcp_maintainer")

// run is one that is under way.
type run struct {
	Options
	conn   *pgx.Conn
	report *Report
}

// Run labels rows anew. After an error the report says what was done until then,
// and another run goes on from there.
func Run(ctx context.Context, conn *pgx.Conn, o Options) (*Report, error) {
	if o.batchRows == 0 {
		o.batchRows, o.pause, o.passes = defaultBatchRows, defaultPause, defaultPasses
	}
	if o.DryRun {
		o.passes = 1
	}
	r := &run{Options: o, conn: conn, report: newReport(o.Rule.Version(), o.DryRun)}
	for range o.passes {
		labelled, err := r.pass(ctx)
		if err != nil {
			return r.report, explain(err)
		}
		if labelled == 0 {
			break
		}
	}
	return r.report, explain(r.countLeft(ctx))
}

// cursor is the key of the last row that was seen.
type cursor struct {
	at pgtype.Timestamptz
	id pgtype.UUID
}

func (o *Options) start() cursor {
	c := cursor{at: pgtype.Timestamptz{InfinityModifier: pgtype.NegativeInfinity, Valid: true}, id: pgtype.UUID{Valid: true}}
	if !o.From.IsZero() {
		c.at = pgtype.Timestamptz{Time: o.From, Valid: true} // the id zero is no event's: nothing at that moment is left out
	}
	return c
}

func (o *Options) end() pgtype.Timestamptz {
	if o.To.IsZero() {
		return pgtype.Timestamptz{InfinityModifier: pgtype.Infinity, Valid: true}
	}
	return pgtype.Timestamptz{Time: o.To, Valid: true}
}

// pass goes once over the rows, and returns how many it labelled.
func (r *run) pass(ctx context.Context) (labelled int64, err error) {
	r.report.Passes++
	unlabelable := int64(0)
	for at := r.start(); ; {
		b, err := r.commitBatch(ctx, at)
		if err != nil {
			return labelled, err
		}
		r.report.add(b)
		labelled += int64(len(b.changes))
		unlabelable += b.unlabelable
		r.report.Unlabelable = unlabelable
		if r.Progress != nil {
			r.Progress(r.report.Relabelled)
		}
		if r.after != nil {
			if err := r.after(); err != nil {
				return labelled, err
			}
		}
		if b.rows < r.batchRows {
			return labelled, nil
		}
		at = b.last
		if err := wait(ctx, r.pause); err != nil {
			return labelled, err
		}
	}
}

// commitBatch tries again where PostgreSQL undid it for another's sake: forget and
// the retention lock rows too, in an order of their own.
func (r *run) commitBatch(ctx context.Context, after cursor) (b *batch, err error) {
	for range maxDeadlocks {
		err = pgx.BeginTxFunc(ctx, r.conn, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, func(tx pgx.Tx) (err error) {
			b, err = r.batch(ctx, tx, after)
			return err
		})
		var pg *pgconn.PgError
		if !errors.As(err, &pg) || pg.Code != "40P01" {
			break
		}
	}
	return b, err
}

const maxDeadlocks = 3

// wait pauses between two batches, for others.
func wait(ctx context.Context, pause time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(pause):
		return nil
	}
}

const leftSQL = `SELECT count(*) FROM public.compression_telemetry
	WHERE timestamp >= $1 AND timestamp < $2 AND oracle_version IS DISTINCT FROM $3`

// countLeft counts what carries another version still: what cannot be labelled,
// and what came at last under the old rule.
func (r *run) countLeft(ctx context.Context) error {
	if r.DryRun {
		return nil
	}
	var left int64
	err := r.conn.QueryRow(ctx, leftSQL, r.start().at, r.end(), r.Rule.Version()).Scan(&left)
	r.report.Left = max(left-r.report.Unlabelable, 0)
	return err
}

// explain says what would have to be there.
func explain(err error) error {
	var pg *pgconn.PgError
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &pg):
	case pg.Code == "42P01", pg.Code == "42703", pg.Code == "42883": // undefined table, column, function
		err = fmt.Errorf("%w (%w)", partitions.ErrNotMigrated, err)
	case pg.Code == "42501":
		err = fmt.Errorf("%w (%w)", ErrNotMaintainer, err)
	}
	return fmt.Errorf("relabel: %w", err)
}
