package instrumentation

import (
	"context"
	"errors"
	"fmt"
)

var errStopped = errors.New("the recorder has been shut down")

// UndeliveredError says how many decisions were recorded and are not known to
// have been delivered.
type UndeliveredError struct {
	Decisions uint64
	Cause     error
}

func (e *UndeliveredError) Error() string {
	return fmt.Sprintf("shut down the recorder: %d decisions not delivered: %v", e.Decisions, e.Cause)
}

func (e *UndeliveredError) Unwrap() error { return e.Cause }

// ForceFlush returns when every decision recorded before it was called has been
// delivered or refused, or when ctx ends.
func (r *Recorder) ForceFlush(ctx context.Context) error {
	if r == nil || r.ring == nil {
		return nil
	}
	recorded, _ := r.ring.counts()
	select {
	case r.flush <- struct{}{}:
	default: // the worker has been told already
	}
	if err := r.ledger.wait(ctx, recorded, r.done); err != nil {
		return fmt.Errorf("flush the recorder: %w", err)
	}
	return nil
}

// Shutdown takes no more decisions, sends those that are still open with what
// they have, and returns when all that were recorded are delivered or refused
// and no shadow run is left. When ctx ends first, it gives up what is left and,
// where that is decisions, returns an *[UndeliveredError]. Calling it again is
// safe and returns what there is to say by then.
func (r *Recorder) Shutdown(ctx context.Context) error {
	if r == nil || r.ring == nil {
		return nil
	}
	r.stop.Do(func() {
		r.shadows.close()
		r.open.close()
		r.ring.close()
		close(r.stopping)
		r.sink.hurry()
	})
	cause := errStopped
	select {
	case <-r.done:
	case <-ctx.Done():
		cause = context.Cause(ctx)
		r.giveUp()
	}
	r.shadows.wait(ctx)
	if s := r.Stats(); s.Pending+s.Open > 0 {
		return &UndeliveredError{Decisions: s.Pending + s.Open, Cause: cause}
	}
	return nil
}
