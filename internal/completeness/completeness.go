package completeness

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Span is how far back losses are looked for: what was lost long ago is no news,
// and nobody mends it.
const Span = 7 * 24 * time.Hour

// SQL takes how many Recorders to list and how far back to look. Each row is a
// Recorder (id, received, expected, seen), those that lost the most first, and
// beside it how many there are and the sums of received and expected.
//
//go:embed recorders.sql
var SQL string

// Settings are for a transaction with SQL in it: the planner takes maps for large,
// and compiling takes longer than reading.
const Settings = "SET LOCAL jit = off; SET LOCAL work_mem = '32MB'"

// Totals are how many decisions came and how many were numbered, of all Recorders
// within Span; zero where there was none.
func Totals(ctx context.Context, tx pgx.Tx) (arrived, numbered int64, err error) {
	if _, err := tx.Exec(ctx, Settings); err != nil {
		return 0, 0, fmt.Errorf("prepare to read the load ledger: %w", err)
	}
	var id string
	var received, expected, recorders int64
	var seen time.Time
	err = tx.QueryRow(ctx, SQL, 1, Span).Scan(&id, &received, &expected, &seen, &recorders, &arrived, &numbered)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return 0, 0, fmt.Errorf("look for gaps in the Recorders' numbers: %w", err)
	}
	return arrived, numbered, nil
}
