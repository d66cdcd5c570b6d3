package pgtelemetry

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// copySplit finds the rows that the table refuses, strikes them and merges the
// rest. It asks for no line number: that stands in a text which a server
// writes in its own language.
func copySplit(ctx context.Context, tx pgx.Tx, b *batch) (*result, error) {
	if _, err := tx.Exec(ctx, createMergeTable); err != nil {
		return nil, fmt.Errorf("make the merge table: %w", err)
	}
	for untried := b.rows; len(untried) > 0; {
		refused, err := copyParts(ctx, tx, untried)
		if err != nil {
			return nil, err
		}
		untried = nil
		for _, r := range refused {
			if twin := b.strike(r.row, refusal(r.verdict), r.verdict.Code); twin != nil {
				untried = append(untried, twin)
			}
		}
	}
	return mergeTemp(ctx, tx, b)
}

// refusedRow is a row with the table's verdict on it.
type refusedRow struct {
	row     *row
	verdict *pgconn.PgError
}

// copyParts copies rows under a savepoint and, where the table refuses one of
// them, each half by itself: some 2·b·log n COPYs for b bad rows of n, where one
// for each row would take longer than an attempt may on a slow link.
func copyParts(ctx context.Context, tx pgx.Tx, rows []*row) ([]refusedRow, error) {
	verdict, err := tryRows(ctx, tx, rows)
	switch {
	case err != nil || verdict == nil:
		return nil, err
	case len(rows) == 1:
		return []refusedRow{{rows[0], verdict}}, nil
	}
	half := len(rows) / 2
	first, err := copyParts(ctx, tx, rows[:half])
	if err != nil {
		return nil, err
	}
	second, err := copyParts(ctx, tx, rows[half:])
	return append(first, second...), err
}

// tryRows copies rows. It returns the table's verdict on one of them, or an
// error that has nothing to do with the rows.
func tryRows(ctx context.Context, tx pgx.Tx, rows []*row) (verdict *pgconn.PgError, err error) {
	savepoint, err := tx.Begin(ctx)
	if err != nil {
		return nil, fmt.Errorf("set a savepoint: %w", err)
	}
	err = copyRows(ctx, tx, copyToTemp, rows)
	if err == nil {
		return nil, savepoint.Commit(ctx)
	}
	if diagnose(err) != strikeRow || !errors.As(err, &verdict) {
		return nil, err
	}
	return verdict, savepoint.Rollback(ctx)
}
