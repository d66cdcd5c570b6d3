package pgtelemetry

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// writer writes batches. It is safe for concurrent use.
type writer struct {
	pool        *pgxpool.Pool
	retention   time.Duration
	allowedSkew time.Duration
}

// mode is how the rows of a batch get into the table.
type mode uint8

const (
	direct mode = iota // COPY into the table
	merged             // COPY into a temporary table, then INSERT … ON CONFLICT
	byRow              // as merged, but each row under its own savepoint
)

var modeNames = [...]string{direct: "direct", merged: "merge", byRow: "by_row"}

func (m mode) String() string { return modeNames[m] }

// maxStrikes is how many bad rows are struck one by one before every row gets
// a savepoint: COPY names only the first bad row of an attempt.
const maxStrikes = 3

// result is what became of a committed batch.
type result struct {
	written
	mode      mode
	duplicate int64
	conflict  int64
	rejected  map[string]int64 // by reason, those stored for the first time
}

// write commits the batch, whatever that takes, or returns an error that calls
// for another try later.
func (w *writer) write(ctx context.Context, b *batch) (*result, error) {
	if err := w.cutToWindow(ctx, b); err != nil {
		return nil, err
	}
	how, strikes, partitioned := direct, 0, false
	for {
		res, err := w.attempt(ctx, b, how)
		if err == nil {
			return res, nil
		}
		switch diagnose(err) {
		case merge:
			if how != direct {
				return nil, err
			}
			how = merged
		case makePartition:
			if partitioned {
				return nil, err
			}
			partitioned = true
			if err := w.ensurePartitions(ctx, b.months()); err != nil {
				return nil, err
			}
		case strikeRow:
			if strikes++; strikes > maxStrikes {
				how = byRow
				continue
			}
			if err := strikeLine(b, err); err != nil {
				return nil, err
			}
		default:
			return nil, err
		}
	}
}

// cutToWindow rejects what lies outside the table's span, by PostgreSQL's
// clock: the collector's may be wrong.
func (w *writer) cutToWindow(ctx context.Context, b *batch) error {
	var now time.Time
	if err := w.pool.QueryRow(ctx, "SELECT now()").Scan(&now); err != nil {
		return fmt.Errorf("ask PostgreSQL for the time: %w", err)
	}
	return b.window(now.UTC().Add(-w.retention), now.UTC().Add(w.allowedSkew))
}

// strikeLine rejects the row that COPY's error names.
func strikeLine(b *batch, err error) error {
	var pg *pgconn.PgError
	errors.As(err, &pg)
	line := copyLine(pg)
	if line > len(b.rows) {
		return fmt.Errorf("COPY names line %d of %d: %w", line, len(b.rows), err)
	}
	return b.strike(line-1, refusal(pg), pg.Code)
}

// attempt is one transaction.
func (w *writer) attempt(ctx context.Context, b *batch, how mode) (*result, error) {
	tx, err := w.pool.Begin(ctx)
	if err != nil {
		return nil, fmt.Errorf("begin a batch: %w", err)
	}
	// After a commit this does nothing; after an error the transaction is void,
	// and so is what rolling it back says.
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	res, err := load(ctx, tx, b, how)
	if err != nil {
		return nil, err
	}
	if res.rejected, err = insertRejections(ctx, tx, b.rejections); err != nil {
		return nil, err
	}
	res.account(b)
	if err := insertLedger(ctx, tx, b, res); err != nil {
		return nil, err
	}
	if err := tx.Commit(ctx); err != nil {
		return nil, fmt.Errorf("commit a batch of %d: %w", b.received, err)
	}
	return res, nil
}

func load(ctx context.Context, tx pgx.Tx, b *batch, how mode) (*result, error) {
	var res *result
	var err error
	switch how {
	case direct:
		res, err = copyDirect(ctx, tx, b)
	case merged:
		res, err = copyMerge(ctx, tx, b)
	default:
		res, err = copyByRow(ctx, tx, b)
	}
	if err != nil {
		return nil, err
	}
	res.mode = how
	return res, nil
}

// account derives the duplicates: all that was received and neither written
// nor rejected for the first time was there before.
func (res *result) account(b *batch) {
	res.conflict += int64(b.conflicts)
	res.duplicate = int64(b.received) - res.written.rows
	for _, n := range res.rejected {
		res.duplicate -= n
	}
}
