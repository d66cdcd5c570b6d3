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

	countEvery = 5 * time.Minute
	countRetry = time.Minute
)

// upkeep looks after the table in the background, at the start as soon as
// PostgreSQL can be reached and then again and again: as the writer it makes
// partitions ahead and counts what is missing, as the maintainer, where there is
// one, it keeps the retention.
type upkeep struct {
	cancel context.CancelFunc
	done   sync.WaitGroup
}

func startUpkeep(e *pgExporter) *upkeep {
	ctx, cancel := context.WithCancel(context.Background())
	u := &upkeep{cancel: cancel}
	fits := make(chan struct{}) // closed after the first good round
	seen := sync.OnceFunc(func() { close(fits) })
	u.done.Go(func() {
		e.again(ctx, upkeeping, func(ctx context.Context) error {
			err := e.keepAhead(ctx)
			if err == nil {
				seen()
			}
			return err
		}, upkeepEvery, upkeepRetry)
	})
	u.done.Go(func() { // not before: the same trouble would be told twice
		select {
		case <-ctx.Done():
		case <-fits:
			e.again(ctx, counting, e.countArrived, countEvery, countRetry)
		}
	})
	u.done.Go(func() { e.probe(ctx, probeAfter, probeEvery) })
	e.sayWhoMaintains()
	if e.config.Maintenance.DSN != "" {
		every := e.config.Maintenance.Interval
		u.done.Go(func() { e.again(ctx, maintaining, e.maintain, every, min(every, time.Minute)) })
	}
	return u
}

// again does rounds until ctx ends; after a failed one the next comes sooner.
func (e *pgExporter) again(ctx context.Context, what activity, round func(context.Context) error, every, retry time.Duration) {
	for {
		next := every
		err := round(ctx)
		if ctx.Err() != nil {
			return
		}
		if e.health.report(what, err); err != nil {
			e.writer.abandon(err)
			next = retry
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(next):
		}
	}
}

func (u *upkeep) stop() {
	u.cancel()
	u.done.Wait()
}
