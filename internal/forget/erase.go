package forget

import (
	"context"
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/novacron/dwcp-telemetry/internal/decisionlog"
	"github.com/novacron/dwcp-telemetry/internal/partitions"
)

var (
	//go:embed sql/bury.sql
	burySQL string
	//go:embed sql/writers.sql
	writersSQL string
	//go:embed sql/survey.sql
	surveySQL string
)

// kind is that of the correcting rows.
const kind = "forget"

// bury commits the tombstones and takes away those that have expired.
func (f *forgetting) bury(ctx context.Context) error {
	err := f.asOwner(ctx, func(tx pgx.Tx) error {
		// One at a time: an id is never committed below one that was seen.
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock(hashtextextended('compression_telemetry forgotten', 0))"); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "DELETE FROM public.compression_telemetry_forgotten WHERE until < now()"); err != nil {
			return err
		}
		var tombstones, keys []string
		for _, n := range f.names {
			tombstones, keys = append(tombstones, n.tombstone), append(keys, n.keyID)
		}
		found, err := tx.Query(ctx, burySQL, tombstones, keys, f.Retention+QueueAge)
		if err != nil {
			return err
		}
		var until time.Time
		_, err = pgx.ForEachRow(found, []any{&until}, func() error {
			f.report.Until = until.UTC()
			return nil
		})
		return err
	})
	if err != nil {
		return explain("keep out what comes of the VM from now on", err)
	}
	return nil
}

// waitForWriters waits for the transactions that wrote before the tombstones
// were there: they may hold rows of the VM. Those that write later see them.
func (f *forgetting) waitForWriters(ctx context.Context) error {
	var before, now []string
	deadline := time.Now().Add(f.waitLimit)
	for first := true; ; first = false {
		if err := f.conn.QueryRow(ctx, writersSQL).Scan(&now); err != nil {
			return explain("see who writes into the table", err)
		}
		if first {
			before = now
		}
		before = slices.DeleteFunc(before, func(tx string) bool { return !slices.Contains(now, tx) })
		if len(before) == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("wait for transactions that write into the table since before the VM was forgotten (%s in pg_locks): not over after %s; nothing is erased yet, run it again",
				strings.Join(before, ", "), f.waitLimit)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// survey counts what there is.
func (f *forgetting) survey(ctx context.Context) error {
	err := f.asOwner(ctx, func(tx pgx.Tx) error {
		for _, n := range f.names {
			found := OfKey{KeyID: n.keyID, Tombstone: n.tombstone}
			var oldest, newest *time.Time
			err := tx.QueryRow(ctx, surveySQL, n.stored, decisionlog.VMIDPatterns(n.stored)).Scan(&found.Rows, &oldest, &newest, &found.Rejected)
			if err != nil {
				return err
			}
			if oldest != nil && newest != nil {
				found.Oldest, found.Newest = oldest.UTC(), newest.UTC()
			}
			f.report.Names = append(f.report.Names, found)
		}
		if f.DryRun {
			return tx.QueryRow(ctx, "SELECT now() + $1::interval", f.Retention+QueueAge).Scan(&f.report.Until)
		}
		return nil
	})
	if err != nil {
		return explain("look for decisions of the VM", err)
	}
	f.report.Until = f.report.Until.UTC()
	return nil
}

// erase takes the rows out. What the report counts becomes what was deleted.
func (f *forgetting) erase(ctx context.Context) error {
	all, err := partitions.List(ctx, f.conn)
	if err != nil {
		return err
	}
	for i, n := range f.names {
		found := &f.report.Names[i]
		found.Rows, found.Rejected = 0, 0
		for _, p := range all {
			if p.State == partitions.NotAttached {
				continue
			}
			if err := f.eraseFrom(ctx, p.Table(), n.stored, &found.Rows); err != nil {
				return explain(fmt.Sprintf("erase the VM from %s, after %d rows", p.Name, found.Rows), err)
			}
		}
		if err := f.eraseRejected(ctx, n.stored, &found.Rejected); err != nil {
			return explain("erase the VM from the rejected decisions", err)
		}
	}
	for _, p := range all {
		if p.State == partitions.NotAttached {
			f.report.Elsewhere = append(f.report.Elsewhere, p.Name)
		}
	}
	return nil
}

// eraseFrom deletes from one partition, a batch at a time. A row that is updated
// at that moment, by relabel say, is met by the next batch.
func (f *forgetting) eraseFrom(ctx context.Context, table, stored string, erased *int64) error {
	statement := fmt.Sprintf(`WITH deleted AS (
		DELETE FROM %[1]s WHERE ctid = ANY (ARRAY(SELECT ctid FROM %[1]s WHERE vm_id = $1 LIMIT $2))
		RETURNING link_type, oracle_algorithm, is_training_candidate
	),`, table)
	for {
		var rows int64
		var left bool
		err := f.asOwner(ctx, func(tx pgx.Tx) (err error) {
			if rows, err = partitions.Correct(ctx, tx, kind, statement, "deleted", stored, f.batchRows); err != nil {
				return err
			}
			return tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM "+table+" WHERE vm_id = $1)", stored).Scan(&left)
		})
		if err != nil {
			return err
		}
		*erased += rows
		if f.afterBatch != nil {
			f.afterBatch()
		}
		if !left {
			return nil
		}
	}
}

func (f *forgetting) eraseRejected(ctx context.Context, stored string, erased *int64) error {
	return f.asOwner(ctx, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `DELETE FROM public.compression_telemetry_rejected AS r
			WHERE EXISTS (SELECT FROM unnest($1::bytea[]) AS p (pattern) WHERE position(p.pattern IN r.original) > 0)`,
			decisionlog.VMIDPatterns(stored))
		*erased += tag.RowsAffected()
		return err
	})
}
