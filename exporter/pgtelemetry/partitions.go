package pgtelemetry

import (
	"context"
	"fmt"
	"time"
)

// ensurePartitions makes the month's partition of each moment, where it is not
// there. Each in its own transaction: the advisory lock is held only for one.
func (w *writer) ensurePartitions(ctx context.Context, moments []time.Time) error {
	for _, at := range moments {
		if _, err := w.pool.Exec(ctx, "SELECT public.ensure_partition($1)", at); err != nil {
			return fmt.Errorf("make the partition for %s: %w", at.UTC().Format("2006-01"), err)
		}
	}
	return nil
}

// ensureAhead makes the partitions of this month and the next ones, by
// PostgreSQL's clock.
func (w *writer) ensureAhead(ctx context.Context, months int) error {
	for ahead := range months + 1 {
		_, err := w.pool.Exec(ctx, "SELECT public.ensure_partition((date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => $1)) AT TIME ZONE 'UTC')", ahead)
		if err != nil {
			return fmt.Errorf("make the partition of %d months ahead: %w", ahead, err)
		}
	}
	return nil
}
