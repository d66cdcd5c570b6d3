package pgtelemetry

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/novacron/dwcp-telemetry/internal/completeness"
)

// countArrived measures how many of the numbered decisions came. It asks the
// ledger, for a Recorder's decisions may come through several collectors.
func (e *pgExporter) countArrived(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, upkeepLimit)
	defer cancel()
	tx, err := e.writer.pool.BeginTx(ctx, pgx.TxOptions{AccessMode: pgx.ReadOnly})
	if err != nil {
		return fmt.Errorf("read the load ledger: %w", err)
	}
	defer rollBack(ctx, tx)
	arrived, numbered, err := completeness.Totals(ctx, tx)
	if err != nil {
		return err
	}
	e.telemetry.PgtelemetryRecorderArrived.Record(ctx, arrived)
	e.telemetry.PgtelemetryRecorderNumbered.Record(ctx, numbered)
	return nil
}
