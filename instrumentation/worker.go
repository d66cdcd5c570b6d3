package instrumentation

import (
	"context"
	"runtime"
	"time"

	"github.com/google/uuid"

	"github.com/novacron/dwcp-telemetry/decision"
)

const (
	scopeName = "github.com/novacron/dwcp-telemetry/instrumentation"

	maxBatch      = 512
	flushInterval = 200 * time.Millisecond
)

// sink is where decisions go from the ring.
type sink interface {
	// ready waits until deliver may be called once; false where ctx ended first.
	ready(ctx context.Context) bool
	// deliver takes over the first of the entries, as many as it likes, and
	// returns how many. They start at that position of the ring and are gone
	// when it returns. It settles each of them with the ledger, sooner or later,
	// and does not panic.
	deliver(position uint64, entries []entry) int
	// hurry says that Shutdown waits: try again now what would wait to be tried.
	hurry()
	// close waits for what is under way, no longer than the Recorder's ctx.
	close()
}

// work is the background worker: it ends after Shutdown.
func (r *Recorder) work() {
	defer close(r.done)
	defer r.giveUp()
	tick := time.NewTicker(flushInterval)
	defer tick.Stop()
	for {
		least := 1
		select {
		case <-r.wake:
			least = r.batch
		case <-tick.C:
		case <-r.flush:
		case <-r.stopping:
			r.report.guard("deliver what is left", r.finish)
			r.report.guard("close the sink", r.sink.close)
			return
		}
		r.report.guard("deliver decisions", func() { r.drain(least) })
	}
}

// finish delivers all there is, decisions that are still open included: as many
// at a time as fit into the ring.
func (r *Recorder) finish() {
	for r.open.flush(r.ring.room()) {
		if r.drainAll(); r.ring.room() == 0 {
			r.open.abandon() // given up: ctx has ended
		}
	}
	r.drainAll()
	r.ring.discard()
}

// drainAll delivers all there is. Who was recording when the ring was closed may
// be in the middle of it.
func (r *Recorder) drainAll() {
	for r.drain(1); r.ring.waiting() > 0 && r.ctx.Err() == nil; r.drain(1) {
		time.Sleep(100 * time.Microsecond)
	}
}

// drain delivers batches while at least that many decisions wait.
func (r *Recorder) drain(least int) {
	for r.ring.waiting() >= least && r.ring.filled() && r.sink.ready(r.ctx) {
		// Looked at only now: while the sink was busy more may have come.
		entries, position := r.ring.peek(maxBatch)
		r.ring.release(r.deliver(position, entries))
	}
}

// deliver hands a batch to the sink and returns how much of it is dealt with.
func (r *Recorder) deliver(position uint64, entries []entry) int {
	r.report.guard("complete decisions", func() {
		for i := range entries {
			r.complete(&entries[i].decision)
			breathe(i)
		}
	})
	taken := r.sink.deliver(position, entries)
	r.report.guard("measure decisions", func() {
		for i := range entries[:taken] {
			r.metrics.observe(&entries[i].decision)
			breathe(i)
		}
	})
	if r.observe != nil {
		for i := range entries[:taken] {
			shown := entries[i].decision
			r.report.guard("show a decision to the observer", func() { r.observe(&shown) })
		}
	}
	return taken
}

// breathe lets others have the processor after every 32nd decision of a batch,
// which is tens of microseconds: a whole batch at a stretch would show in the
// p99 of a host whose processors are all busy.
func breathe(i int) {
	if i%32 == 31 {
		runtime.Gosched()
	}
}

// complete fills in what is too dear for the caller's side. Doing it twice
// changes nothing.
func (r *Recorder) complete(d *decision.Decision) {
	d.Timestamp = d.Timestamp.UTC().Truncate(time.Microsecond)
	d.RecorderID = decision.Some(r.id)
	r.vmIDs.replace(d)
	if d.EventID == (decision.UUID{}) {
		d.EventID = newEventID()
	}
}

// newEventID panics where the system has no randomness left, which Go's
// crypto/rand does by itself.
func newEventID() decision.UUID { return decision.UUID(uuid.Must(uuid.NewV7())) }
