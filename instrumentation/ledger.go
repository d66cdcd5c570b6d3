package instrumentation

import (
	"context"
	"sync"
)

// ledger knows what became of the decisions that left the ring, and up to
// which position of the ring all of them are settled. Batches settle in any
// order.
type ledger struct {
	mu       sync.Mutex
	taken    uint64              // positions below have left the ring
	underWay map[uint64]struct{} // position of the first decision of each batch not settled
	sent     uint64
	refused  uint64
	changed  chan struct{} // closed and replaced whenever a batch settles
}

func newLedger() *ledger {
	return &ledger{underWay: map[uint64]struct{}{}, changed: make(chan struct{})}
}

// begin notes a batch of n decisions that starts at a position.
func (l *ledger) begin(position uint64, n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.underWay[position] = struct{}{}
	l.taken = position + uint64(n)
}

// settle notes what became of the batch that starts at a position.
func (l *ledger) settle(position uint64, sent, refused int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.underWay, position)
	l.sent += uint64(sent)
	l.refused += uint64(refused)
	close(l.changed)
	l.changed = make(chan struct{})
}

// settledTo returns the position below which every decision is settled, and a
// channel that is closed when that may have changed.
func (l *ledger) settledTo() (uint64, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	settled := l.taken
	for position := range l.underWay {
		settled = min(settled, position)
	}
	return settled, l.changed
}

// wait returns when all decisions below a position are settled.
func (l *ledger) wait(ctx context.Context, position uint64, stopped <-chan struct{}) error {
	for {
		settled, changed := l.settledTo()
		if settled >= position {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-stopped:
			if settled, _ = l.settledTo(); settled >= position {
				return nil
			}
			return errStopped
		}
	}
}

func (l *ledger) counts() (sent, refused uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sent, l.refused
}
