package instrumentation

import (
	"math/bits"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/novacron/dwcp-telemetry/decision"
)

// entry is a decision as it waits in the ring.
type entry struct {
	filled   atomic.Uint64 // 1 + the position that the slot was last filled for
	decision decision.Decision
	traceID  trace.TraceID
	spanID   trace.SpanID
	flags    trace.TraceFlags
}

// empty lets go of the texts, which a slot would otherwise keep alive until it
// is used again.
func (e *entry) empty() {
	e.decision = decision.Decision{}
	e.traceID, e.spanID, e.flags = trace.TraceID{}, trace.SpanID{}, 0
}

// ring is a bounded queue: any goroutine puts, one takes. Nobody waits for
// anybody: who puts claims a position by one compare-and-swap and copies into
// its slot with no lock held, since eight callers at a mutex cost each other
// microseconds. Entries are read in place.
type ring struct {
	slots atomic.Pointer[[]entry] // a power of two of them; nil once discarded
	limit uint64                  // how many may wait

	// What every put writes shares a cache line, and nothing else does.
	_        [64]byte
	sequence atomic.Uint64 // numbers taken, by decisions dropped as well
	tail     atomic.Uint64 // position that the next is put at, and closedBit
	_        [48]byte

	dropped atomic.Uint64
	head    atomic.Uint64 // head ≤ positions in the ring < tail
}

const closedBit = 1 << 63

func newRing(limit int) *ring {
	r := &ring{limit: uint64(limit)}
	slots := make([]entry, 1<<bits.Len(uint(limit-1)))
	r.slots.Store(&slots)
	return r
}

// put copies d in and returns how many entries now wait: 0 where the ring was
// full and d is lost, or where the ring is closed; less than 1, too, where d has
// been taken out already.
//
// A decision that is dropped has taken its sequence number all the same: that
// is how the loss is seen at the other end.
func (r *ring) put(d *decision.Decision, span trace.SpanContext, ratio float64, now time.Time) int {
	if r.tail.Load()&closedBit != 0 {
		return 0
	}
	return r.add(d, span, ratio, now, closedBit)
}

// putLate is put for a decision that was open when the ring was closed. It must
// not be called once the taker has ended.
func (r *ring) putLate(d *decision.Decision, span trace.SpanContext, ratio float64) int {
	return r.add(d, span, ratio, time.Time{}, 0)
}

// add gives up where any bit of stop is set in tail.
func (r *ring) add(d *decision.Decision, span trace.SpanContext, ratio float64, now time.Time, stop uint64) int {
	number := r.sequence.Add(1)
	position, e := r.claim(stop)
	if e == nil {
		return 0
	}
	e.decision = *d
	if e.decision.Timestamp.IsZero() {
		e.decision.Timestamp = now
	}
	e.decision.SamplingRatio = decision.Some(ratio)
	e.decision.RecorderSequence = decision.Some(int64(number))
	if span.HasTraceID() { // else they are empty already; each method copies the whole span
		e.traceID, e.spanID, e.flags = span.TraceID(), span.SpanID(), span.TraceFlags()
	}
	e.filled.Store(position + 1)
	return int(position + 1 - r.head.Load())
}

// claim returns a position that is the caller's alone, and its slot; nil where
// there is none.
func (r *ring) claim(stop uint64) (position uint64, e *entry) {
	slots := r.slots.Load()
	for slots != nil {
		tail := r.tail.Load()
		if tail&stop != 0 {
			break
		}
		position = tail &^ closedBit
		if r.full(position, r.head.Load()) {
			break
		}
		if r.tail.CompareAndSwap(tail, tail+1) {
			return position, &(*slots)[position&uint64(len(*slots)-1)]
		}
	}
	r.dropped.Add(1)
	return 0, nil
}

// full compares with a sign: a caller that was interrupted after it read the
// tail may find a head that has gone past it. That ring is not full, and its
// compare-and-swap fails.
func (r *ring) full(tail, head uint64) bool { return int64(tail-head) >= int64(r.limit) }

// peek returns the oldest entries, at most limit, and the position of the
// first. They stay in the ring, and are the taker's to change, until release.
// An entry that is still being copied in ends them.
func (r *ring) peek(limit int) ([]entry, uint64) {
	slots, head := r.slots.Load(), r.head.Load()
	if slots == nil {
		return nil, head
	}
	first := int(head & uint64(len(*slots)-1))
	entries := (*slots)[first:min(first+limit, len(*slots))]
	for i := range entries {
		if entries[i].filled.Load() != head+uint64(i)+1 {
			return entries[:i], head
		}
	}
	return entries, head
}

// filled reports whether peek would return any.
func (r *ring) filled() bool {
	entries, _ := r.peek(1)
	return len(entries) > 0
}

// release gives back the n oldest slots.
func (r *ring) release(n int) {
	entries, _ := r.peek(n)
	for i := range entries {
		entries[i].empty()
	}
	r.head.Add(uint64(n))
}

// close lets nothing more in but by putLate. What waits stays.
func (r *ring) close() { r.tail.Or(closedBit) }

// discard frees the memory of a closed ring; its counts stay.
func (r *ring) discard() { r.slots.Store(nil) }

func (r *ring) waiting() int { return int(r.tail.Load()&^closedBit - r.head.Load()) }

// room is how many more there may be.
func (r *ring) room() int { return int(r.limit) - r.waiting() }

// counts returns how many decisions were accepted and how many dropped.
func (r *ring) counts() (accepted, dropped uint64) {
	dropped = r.dropped.Load()
	return r.tail.Load() &^ closedBit, dropped
}
