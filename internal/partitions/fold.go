package partitions

import (
	"context"
	_ "embed"
	"fmt"
)

var (
	//go:embed sql/count_foldable.sql
	countFoldableSQL string
	//go:embed sql/fold.sql
	foldSQL string
)

// fold sums up rows of the ledger: those of a full minute that ended more than a
// minute ago become one of each kind, those of a full hour that ended more than
// an hour ago likewise, those older than the retention one of each kind in all. A batch is one statement, which deletes rows and inserts their
// sum: whoever reads sees either, never both and never neither, whoever else
// folds at the same time finds the rows gone, and nobody who inserts waits.
func (r *round) fold(ctx context.Context) error {
	for {
		var deleted, inserted int64
		err := r.conn.QueryRow(ctx, foldSQL, r.report.Now, r.report.Cutoff, r.batchRows).Scan(&deleted, &inserted)
		if err != nil {
			return fmt.Errorf("fold the ledger: %w", err)
		}
		r.report.Folded += deleted - inserted
		if deleted == 0 {
			return nil
		}
		r.after("fold", "")
		if err := r.wait(ctx); err != nil {
			return err
		}
	}
}
