package pgtelemetry

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
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
	recorders  recorders                   // and of those rejected for the first time
}

func newWritten() written {
	return written{labels: map[string]map[string]int64{}, recorders: recorders{}}
}

func (w *written) add(r *row) {
	candidates := int64(0)
	if r.candidate {
		candidates = 1
	}
	w.count(r.link, r.algorithm, 1, candidates, r.at)
	w.recorders.add(r.sender)
}

func (w *written) count(link, algorithm string, rows, candidates int64, newest time.Time) {
	w.rows += rows
	w.candidates += candidates
	if w.newest == nil || newest.After(*w.newest) {
		w.newest = &newest
	}
	if w.labels[link] == nil {
		w.labels[link] = map[string]int64{}
	}
	w.labels[link][algorithm] += rows
}

// scan adds what merge.sql reports.
func (w *written) scan(found pgx.Rows) error {
	var link, algorithm string
	var rows, candidates, numbered int64
	var newest time.Time
	var from sender
	columns := []any{&link, &algorithm, &rows, &candidates, &newest, (*[16]byte)(&from.recorder), &numbered, &from.sequence}
	_, err := pgx.ForEachRow(found, columns, func() error {
		w.count(link, algorithm, rows, candidates, newest)
		w.recorders.addMany(from, numbered)
		return nil
	})
	return err
}

// insertRejections stores the rejected rows and counts, by reason and Recorder,
// those that were not there yet.
func insertRejections(ctx context.Context, tx pgx.Tx, rejections []rejection, res *result) error {
	res.rejected = map[string]int64{}
	if len(rejections) == 0 {
		return nil
	}
	c := columnsOf(rejections)
	rows, err := tx.Query(ctx, insertRejected,
		c.digests, c.ids, c.times, c.reasons, c.fields, c.sqlstates, c.details, c.originals, c.truncated)
	if err != nil {
		return fmt.Errorf("insert %d rejected rows: %w", len(rejections), err)
	}
	var digest []byte
	_, err = pgx.ForEachRow(rows, []any{&digest}, func() error {
		at, _ := slices.BinarySearchFunc(rejections, digest, func(r rejection, d []byte) int { return bytes.Compare(r.digest[:], d) })
		stored := &rejections[at] // columnsOf has sorted them
		res.rejected[string(stored.reason)]++
		res.recorders.add(stored.sender)
		return nil
	})
	if err != nil {
		return fmt.Errorf("insert %d rejected rows: %w", len(rejections), err)
	}
	return nil
}

// insertLedger writes the batch's row of the load ledger, as the last statement:
// it undoes a batch that does not go by the tombstones there are by now.
func insertLedger(ctx context.Context, tx pgx.Tx, b *batch, res *result) error {
	labels, err := asJSON(res.written.labels)
	if err != nil {
		return err
	}
	reasons, err := asJSON(res.rejected)
	if err != nil {
		return err
	}
	recorders, err := asJSON(res.recorders.byName())
	if err != nil {
		return err
	}
	var tombstones string
	err = tx.QueryRow(ctx, insertLedgerRow, b.received, res.written.rows, res.duplicate, res.conflict, res.rejectedRows(),
		res.written.candidates, res.written.newest, labels, reasons, recorders).Scan(&tombstones)
	switch {
	case err != nil:
		return fmt.Errorf("insert the ledger row: %w", err)
	case tombstones != b.tombstones:
		return errForgottenChanged
	}
	return nil
}

func asJSON[V any](m map[string]V) (string, error) {
	text, err := json.Marshal(m)
	return string(text), err
}
