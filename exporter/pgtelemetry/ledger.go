package pgtelemetry

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

var (
	//go:embed sql/insert_rejected.sql
	insertRejected string
	//go:embed sql/insert_ledger.sql
	insertLedgerRow string
)

// written counts the rows of a batch that are new in the table.
type written struct {
	rows       int64
	candidates int64
	newest     *time.Time
	labels     map[string]map[string]int64 // link type → algorithm → rows
}

func (w *written) add(r *row) {
	candidates := int64(0)
	if r.candidate {
		candidates = 1
	}
	w.count(r.link, r.algorithm, 1, candidates, r.at)
}

func (w *written) count(link, algorithm string, rows, candidates int64, newest time.Time) {
	w.rows += rows
	w.candidates += candidates
	if w.newest == nil || newest.After(*w.newest) {
		w.newest = &newest
	}
	if w.labels == nil {
		w.labels = map[string]map[string]int64{}
	}
	if w.labels[link] == nil {
		w.labels[link] = map[string]int64{}
	}
	w.labels[link][algorithm] += rows
}

// scan adds what merge.sql reports.
func (w *written) scan(found pgx.Rows) error {
	var link, algorithm string
	var rows, candidates int64
	var newest time.Time
	_, err := pgx.ForEachRow(found, []any{&link, &algorithm, &rows, &candidates, &newest}, func() error {
		w.count(link, algorithm, rows, candidates, newest)
		return nil
	})
	return err
}

// insertRejections stores the rejected rows and counts, by reason, those that
// were not there yet.
func insertRejections(ctx context.Context, tx pgx.Tx, rejections []rejection) (map[string]int64, error) {
	stored := map[string]int64{}
	if len(rejections) == 0 {
		return stored, nil
	}
	c := columnsOf(rejections)
	rows, err := tx.Query(ctx, insertRejected,
		c.digests, c.ids, c.times, c.reasons, c.fields, c.sqlstates, c.details, c.originals, c.truncated)
	if err != nil {
		return nil, fmt.Errorf("insert %d rejected rows: %w", len(rejections), err)
	}
	var reason string
	_, err = pgx.ForEachRow(rows, []any{&reason}, func() error {
		stored[reason]++
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("insert %d rejected rows: %w", len(rejections), err)
	}
	return stored, nil
}

// insertLedger writes the batch's row of the load ledger.
func insertLedger(ctx context.Context, tx pgx.Tx, b *batch, res *result) error {
	labels, err := asJSON(res.written.labels)
	if err != nil {
		return err
	}
	reasons, err := asJSON(res.rejected)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, insertLedgerRow, b.received, res.written.rows, res.duplicate, res.conflict, res.rejectedRows(),
		res.written.candidates, res.written.newest, labels, reasons)
	if err != nil {
		return fmt.Errorf("insert the ledger row: %w", err)
	}
	return nil
}

// asJSON returns the text of a JSON object, also for a nil map.
func asJSON[V any](m map[string]V) (string, error) {
	if m == nil {
		return "{}", nil
	}
	text, err := json.Marshal(m)
	return string(text), err
}
