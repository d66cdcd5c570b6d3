package partitions

import (
	"context"
	_ "embed"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// mark is the comment on a partition that the keeper detaches. It tells the
// keeper's tables from those that somebody detached to keep them.
const mark = "dwcp-telemetry: expired, to be dropped"

// expire takes a partition out of the table and drops it. What was done of that
// before a crash or a timeout is not done again.
func (r *round) expire(ctx context.Context, p Partition) error {
	if p.State != Detached && !p.marked {
		if err := r.setMark(ctx, p, quote(mark)); err != nil {
			return err
		}
	}
	r.after("mark", p.Name)
	if p.State != Detached {
		if err := r.detach(ctx, p); err != nil {
			r.detaching = p.Name
			return err
		}
	}
	r.after("detach", p.Name)
	rows, err := r.drop(ctx, p)
	if err != nil {
		return err
	}
	r.after("drop", p.Name)
	r.report.Dropped = append(r.report.Dropped, Dropped{p.Name, rows})
	return nil
}

func (r *round) setMark(ctx context.Context, p Partition, comment string) error {
	if _, err := r.conn.Exec(ctx, "COMMENT ON TABLE "+p.Table()+" IS "+comment); err != nil {
		return fmt.Errorf("mark the partition %s: %w", p.Name, owned(err))
	}
	return nil
}

// detach waits for the transactions that were there before it, without keeping
// anybody waiting, but not for ever: a long export goes first. Meanwhile nobody
// new sees the partition; the next round finishes.
//
// FINALIZE locks the partition first and then waits for old snapshots. Its
// lock_timeout lies below the time after which PostgreSQL looks for deadlocks,
// for else the victim might be the export.
func (r *round) detach(ctx context.Context, p Partition) error {
	how, settings := "CONCURRENTLY", fmt.Sprintf("SET lock_timeout = 0; SET statement_timeout = %d", max(r.detachWait.Milliseconds(), 1))
	if p.State == DetachPending {
		how, settings = "FINALIZE", "SET lock_timeout = '500ms'; SET statement_timeout = '10s'"
	}
	if _, err := r.conn.Exec(ctx, settings); err != nil {
		return fmt.Errorf("detach the partition %s: %w", p.Name, err)
	}
	_, err := r.conn.Exec(ctx, "ALTER TABLE public.compression_telemetry DETACH PARTITION "+p.Table()+" "+how)
	if err != nil {
		err = fmt.Errorf("detach the partition %s, %s: %w", p.Name, how, err)
	}
	if _, reset := r.conn.Exec(ctx, "SET lock_timeout = '5s'; SET statement_timeout = 0"); err == nil && reset != nil {
		err = fmt.Errorf("detach the partition %s: %w", p.Name, reset)
	}
	return err
}

// drop counts what a detached partition holds, tells it in the ledger and drops
// it, all or nothing. While it counts others may read, but not write, which
// nobody but its owner could.
func (r *round) drop(ctx context.Context, p Partition) (rows int64, err error) {
	tx, err := r.conn.Begin(ctx)
	if err != nil {
		return 0, fmt.Errorf("drop the partition %s: %w", p.Name, err)
	}
	defer rollBack(ctx, tx)
	if _, err := tx.Exec(ctx, "LOCK TABLE "+p.Table()+" IN SHARE MODE"); err != nil {
		return 0, fmt.Errorf("drop the partition %s: %w", p.Name, err)
	}
	// Whoever has attached it to something since means to keep it.
	var attached bool
	if err := tx.QueryRow(ctx, "SELECT relispartition FROM pg_class WHERE oid = to_regclass($1)", p.Table()).Scan(&attached); err != nil {
		return 0, fmt.Errorf("look whether the partition %s is still detached: %w", p.Name, err)
	}
	if attached {
		return 0, fmt.Errorf("drop the partition %s: somebody has attached it again", p.Name)
	}
	rows, err = Correct(ctx, tx, retentionKind, "WITH", p.Table())
	if err != nil {
		return 0, fmt.Errorf("count what the partition %s holds: %w", p.Name, err)
	}
	r.after("count", p.Name)
	if _, err := tx.Exec(ctx, "DROP TABLE "+p.Table()); err != nil {
		return 0, fmt.Errorf("drop the partition %s: %w", p.Name, err)
	}
	r.after("dropped, not committed", p.Name)
	if err := tx.Commit(ctx); err != nil {
		return 0, fmt.Errorf("drop the partition %s: %w", p.Name, err)
	}
	return rows, nil
}

//go:embed sql/correct.sql
var correctSQL string

// retentionKind is the kind of the keeper's rows in the ledger.
const retentionKind = "retention"

// Correct writes the ledger row of that kind for rows that go, and returns how
// many they are. with is the beginning of the statement, source names the rows:
// link_type, oracle_algorithm and is_training_candidate of each. It belongs into
// the transaction that takes them out.
func Correct(ctx context.Context, tx pgx.Tx, kind, with, source string, args ...any) (rows int64, err error) {
	err = tx.QueryRow(ctx, fmt.Sprintf(correctSQL, with, source, kind), args...).Scan(&rows)
	return rows, err
}

// rollBack ends a transaction that failed. After a commit it does nothing.
func rollBack(ctx context.Context, tx pgx.Tx) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	_ = tx.Rollback(ctx) // it is void, whatever it says
}

// quote is for a comment, which takes no parameter.
func quote(text string) string { return "'" + text + "'" }
