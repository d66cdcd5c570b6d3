package partitions

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// key is a primary key of the table, as a border between rows.
type key struct {
	at pgtype.Timestamptz
	id pgtype.UUID
}

var firstKey = key{pgtype.Timestamptz{InfinityModifier: pgtype.NegativeInfinity, Valid: true}, pgtype.UUID{Valid: true}}

func keyAt(moment time.Time) key {
	return key{pgtype.Timestamptz{Time: moment, Valid: true}, pgtype.UUID{Valid: true}}
}

// trim deletes the rows of a partition that are older than the retention, by
// the key and a batch at a time. Each batch begins where the last one ended: what
// is deleted already, but not vacuumed, is not walked over again.
func (r *round) trim(ctx context.Context, p Partition) error {
	for from := firstKey; ; {
		to, last, err := r.batchEnd(ctx, p, from)
		if err != nil {
			return err
		}
		rows, err := r.deleteBetween(ctx, p, from, to)
		r.report.Trimmed += rows
		if err != nil {
			return err
		}
		r.after("trim", p.Name)
		if last {
			return nil
		}
		if err := r.wait(ctx); err != nil {
			return err
		}
		from = to
	}
}

// batchEnd returns the key of the first row behind the batch; last is set where
// the batch is the last one.
func (r *round) batchEnd(ctx context.Context, p Partition, from key) (to key, last bool, err error) {
	err = r.conn.QueryRow(ctx, `SELECT timestamp, event_id FROM `+p.Table()+`
		WHERE timestamp >= $1 AND (timestamp, event_id) >= ($1, $2) AND timestamp < $3
		ORDER BY timestamp, event_id OFFSET $4 LIMIT 1`, from.at, from.id, r.report.Cutoff, r.batchRows).Scan(&to.at, &to.id)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return keyAt(r.report.Cutoff), true, nil
	case err != nil:
		return key{}, false, fmt.Errorf("look for expired rows in %s: %w", p.Name, owned(err))
	}
	return to, false, nil
}

func (r *round) deleteBetween(ctx context.Context, p Partition, from, to key) (rows int64, err error) {
	err = pgx.BeginFunc(ctx, r.conn, func(tx pgx.Tx) error {
		rows, err = Correct(ctx, tx, retentionKind, `WITH deleted AS (
			DELETE FROM `+p.Table()+`
			WHERE timestamp >= $1 AND (timestamp, event_id) >= ($1, $2) AND timestamp <= $3 AND (timestamp, event_id) < ($3, $4)
			RETURNING link_type, oracle_algorithm, is_training_candidate
		),`, "deleted", from.at, from.id, to.at, to.id)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("delete expired rows from %s: %w", p.Name, err)
	}
	return rows, nil
}

// purge deletes rejected rows that have been kept as long as the retention says.
func (r *round) purge(ctx context.Context) error {
	for {
		tag, err := r.conn.Exec(ctx, `DELETE FROM public.compression_telemetry_rejected WHERE digest IN (
			SELECT digest FROM public.compression_telemetry_rejected WHERE received_at < $1 ORDER BY received_at LIMIT $2)`,
			r.report.Cutoff, r.batchRows)
		if err != nil {
			return fmt.Errorf("delete rejected rows: %w", err)
		}
		r.report.Purged += tag.RowsAffected()
		r.after("purge", "")
		if tag.RowsAffected() < int64(r.batchRows) {
			return nil
		}
		if err := r.wait(ctx); err != nil {
			return err
		}
	}
}
