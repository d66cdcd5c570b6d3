package pgtelemetry

import (
	"context"
	"sync"
	"time"
)

const (
	upkeepEvery = time.Hour
	upkeepRetry = 5 * time.Second
	upkeepLimit = time.Minute // one round
)

// upkeep checks the table and makes partitions ahead, in the background: at
// the start as soon as PostgreSQL can be reached, then every hour.
type upkeep struct {
	cancel context.CancelFunc
	done   sync.WaitGroup
}

func startUpkeep(e *pgExporter) *upkeep {
	ctx, cancel := context.WithCancel(context.Background())
	u := &upkeep{cancel: cancel}
	u.done.Go(func() {
		for {
			next := upkeepEvery
			err := e.maintain(ctx)
			if ctx.Err() != nil {
				return
			}
			if e.health.report(upkeeping, err); err != nil {
				e.writer.abandon(err)
				next = upkeepRetry
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(next):
			}
		}
	})
	return u
}

func (e *pgExporter) maintain(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, upkeepLimit)
	defer cancel()
	if err := e.verify(ctx); err != nil {
		return err
	}
	return e.writer.ensureAhead(ctx, e.config.Partitions.Ahead)
}

func (u *upkeep) stop() {
	u.cancel()
	u.done.Wait()
}
