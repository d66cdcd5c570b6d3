package pgtelemetry

import (
	"context"
	"fmt"
	"time"
)

const (
	// probeAfter is longer than the pause between two attempts of a queue, so
	// that what is being tried anyway is not probed.
	probeAfter = time.Minute
	probeEvery = 10 * time.Second
)

// probe finds out that PostgreSQL takes decisions again where none is waiting:
// acknowledged on commit, a batch that failed is its sender's, and a balancer
// that goes by readiness sends nothing that could show it.
func (e *pgExporter) probe(ctx context.Context, after, every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if e.health.waits(after) {
			err := e.writeNothing(ctx)
			if ctx.Err() != nil {
				return
			}
			e.health.probed(err)
			e.writer.abandon(err)
		}
	}
}

// writeNothing does all that a batch does, with no row in it, and undoes it.
func (e *pgExporter) writeNothing(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, e.config.TimeoutConfig.Timeout)
	defer cancel()
	if err := e.verify(ctx); err != nil {
		return err
	}
	tx, err := e.writer.pool.BeginTx(ctx, e.writer.options())
	if err != nil {
		return fmt.Errorf("begin a batch: %w", err)
	}
	defer rollBack(ctx, tx)
	return copyRows(ctx, tx, copyTable, nil)
}
