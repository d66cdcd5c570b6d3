package pgtelemetry

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/novacron/dwcp-telemetry/internal/partitions"
)

// writer writes batches. It is safe for concurrent use.
type writer struct {
	pool        *pgxpool.Pool
	begin       string // the statement that begins a batch's transaction
	retention   time.Duration
	allowedSkew time.Duration
	period      partitions.Period
	forgotten   atomic.Pointer[tombstones] // as read last
}

// mode is how the rows of a batch get into the table.
type mode uint8

const (
	direct mode = iota // COPY into the table
	merged             // COPY into a temporary table, then INSERT … ON CONFLICT
	split              // as merged, but in parts, each under a savepoint
)

var modeNames = [...]string{direct: "direct", merged: "merge", split: "split"}

func (m mode) String() string { return modeNames[m] }

// maxStrikes is how many bad rows are struck one by one before the batch is
// split: COPY names only the first bad row of an attempt.
const maxStrikes = 3

// A batch that PostgreSQL chose to undo, for another transaction's sake, is tried
// again soon: at once it could take the very lock that the other one has not yet
// woken up for. Each pause is twice as long as the one before.
const (
	maxDeadlocks  = 3
	deadlockPause = 100 * time.Millisecond
)

// result is what became of a committed batch.
type result struct {
	written
	mode      mode
	duplicate int64
	conflict  int64
	rejected  map[string]int64 // by reason, those stored for the first time
	received  int
	now       time.Time // PostgreSQL's clock, within the batch
	took      durations
}

// write commits the batch, whatever that takes, or returns an error that calls
// for another try later.
func (w *writer) write(ctx context.Context, b *batch) (*result, error) {
	began := time.Now()
	now, err := w.cutToWindow(ctx, b)
	if err != nil {
		return nil, err
	}
	forgotten, err := w.knownForgotten(ctx)
	if err != nil {
		return nil, err
	}
	b.refuseForgotten(forgotten, now)
	tries := attempts{writer: w, batch: b, now: now}
	for {
		res, err := w.attempt(ctx, b, tries.how)
		if err == nil {
			res.received, res.now, res.took.all = b.received, now, time.Since(began)
			return res, nil
		}
		if err := tries.mend(ctx, err); err != nil {
			return nil, err
		}
	}
}

// attempts is what was done already about the errors of one batch.
type attempts struct {
	*writer
	*batch
	now                time.Time
	how                mode
	strikes, deadlocks int
	partitioned, moved bool
}

// mend does what an error calls for before the next attempt, or returns an error
// where there is nothing that can be done now.
func (a *attempts) mend(ctx context.Context, err error) error {
	if errors.Is(err, errForgottenChanged) {
		forgotten, err := a.readForgotten(ctx)
		if err == nil {
			a.refuseForgotten(forgotten, a.now)
		}
		return err
	}
	switch diagnose(err) {
	case merge:
		if a.how != direct {
			return err
		}
		a.how = merged
	case makePartition:
		if a.partitioned {
			return err
		}
		a.partitioned = true
		return partitions.EnsureEach(ctx, a.pool, a.moments(), a.period)
	case elsewhere:
		if a.moved {
			return err
		}
		a.moved = true
		a.abandon(err)
	case again:
		if a.deadlocks++; a.deadlocks > maxDeadlocks || !pause(ctx, deadlockPause<<(a.deadlocks-1)) {
			return err
		}
	case strikeRow:
		// A table that has changed meanwhile refuses good rows.
		if err := a.checkSchema(ctx); err != nil {
			return err
		}
		if a.strikes++; a.strikes > maxStrikes || !strikeLine(a.batch, err) {
			a.how = split
		}
	default:
		return err
	}
	return nil
}

// pause returns false where the context ended first.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// cutToWindow rejects what lies outside the table's span, by PostgreSQL's
// clock: the collector's may be wrong.
func (w *writer) cutToWindow(ctx context.Context, b *batch) (now time.Time, err error) {
	if err := w.pool.QueryRow(ctx, "SELECT now()").Scan(&now); err != nil {
		return now, fmt.Errorf("ask PostgreSQL for the time: %w", err)
	}
	b.window(now.UTC().Add(-w.retention), now.UTC().Add(w.allowedSkew))
	return now, nil
}

// strikeLine rejects the row that COPY's error names; false where it names
// none of them.
func strikeLine(b *batch, err error) bool {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return false
	}
	line := copyLine(pg)
	if line < 1 || line > len(b.rows) {
		return false
	}
	b.strike(b.rows[line-1], refusal(pg), pg.Code)
	return true
}

func (w *writer) options() pgx.TxOptions { return pgx.TxOptions{BeginQuery: w.begin} }

// attempt is one transaction.
func (w *writer) attempt(ctx context.Context, b *batch, how mode) (*result, error) {
	tx, err := w.pool.BeginTx(ctx, w.options())
	if err != nil {
		return nil, fmt.Errorf("begin a batch: %w", err)
	}
	defer rollBack(ctx, tx)
	began := time.Now()
	res, err := load(ctx, tx, b, how)
	if err != nil {
		return nil, err
	}
	res.took.copy = time.Since(began)
	if err := insertRejections(ctx, tx, b.rejections, res); err != nil {
		return nil, err
	}
	res.account(b)
	if err := insertLedger(ctx, tx, b, res); err != nil {
		return nil, err
	}
	began = time.Now()
	if err := tx.Commit(ctx); err != nil {
		return nil, fmt.Errorf("commit a batch of %d: %w", b.received, err)
	}
	res.took.commit = time.Since(began)
	return res, nil
}

// rollBack ends a transaction that failed. After a commit it does nothing. On a
// connection that is dead without knowing it yet, it gives up soon.
func rollBack(ctx context.Context, tx pgx.Tx) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackLimit)
	defer cancel()
	_ = tx.Rollback(ctx) // the transaction is void, whatever it says
}

const rollbackLimit = 5 * time.Second

func load(ctx context.Context, tx pgx.Tx, b *batch, how mode) (*result, error) {
	var res *result
	var err error
	switch how {
	case direct:
		res, err = copyDirect(ctx, tx, b)
	case merged:
		res, err = copyMerge(ctx, tx, b)
	default:
		res, err = copySplit(ctx, tx, b)
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
	res.duplicate = int64(b.received) - res.written.rows - res.rejectedRows()
}

// rejectedRows counts the rejected rows that were not there yet.
func (res *result) rejectedRows() (n int64) {
	for _, ofReason := range res.rejected {
		n += ofReason
	}
	return n
}
