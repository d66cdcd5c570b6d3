package export

import (
	"context"
	"fmt"
	"strings"

	"golang.org/x/sync/errgroup"
)

// sink takes batches, one after the other.
type sink interface {
	write(*batch) error
}

// batchesUnderWay bounds memory: those in the queues and in work.
const batchesUnderWay = 8

// scan reads the rows of the snapshot in order, lets decide say where each one
// goes, and hands batches to all sinks at once, each in a goroutine of its own.
func (s *snapshot) scan(ctx context.Context, l *layout, decide func(*batch), sinks ...sink) (rows int64, err error) {
	group, ctx := errgroup.WithContext(ctx)
	free := make(chan *batch, batchesUnderWay)
	for range batchesUnderWay {
		free <- newBatch(l)
	}
	queues := make([]chan *batch, len(sinks))
	for i, to := range sinks {
		queues[i] = make(chan *batch, batchesUnderWay)
		group.Go(func() error { return drain(queues[i], free, to) })
	}
	emit := func(b *batch) (*batch, error) {
		decide(b)
		b.readers.Store(int32(len(sinks)))
		for _, queue := range queues {
			queue <- b // has room for all there are
		}
		if len(sinks) == 0 {
			free <- b
		}
		select {
		case next := <-free:
			next.reset()
			return next, nil
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	group.Go(func() error {
		defer func() {
			for _, queue := range queues {
				close(queue)
			}
		}()
		var err error
		rows, err = s.copy(ctx, &decoder{fields: l.fields, batch: <-free, emit: emit})
		return err
	})
	return rows, group.Wait()
}

func drain(queue <-chan *batch, free chan<- *batch, to sink) error {
	for b := range queue {
		if err := to.write(b); err != nil {
			return err
		}
		if b.readers.Add(-1) == 0 {
			free <- b
		}
	}
	return nil
}

// copy runs the COPY to its end.
func (s *snapshot) copy(ctx context.Context, d *decoder) (int64, error) {
	expressions := make([]string, len(d.fields))
	for i, f := range d.fields {
		expressions[i] = expression(f)
	}
	sql := "COPY (" + s.rows.selection(strings.Join(expressions, ", ")) + ") TO STDOUT (FORMAT binary)"
	tag, err := s.tx.Conn().PgConn().CopyTo(ctx, d, sql)
	if err != nil {
		return 0, explain("copy the rows out of "+view, err)
	}
	if err := d.close(tag.RowsAffected()); err != nil {
		return 0, fmt.Errorf("copy the rows out of %s: %w", view, err)
	}
	return d.rows, nil
}
