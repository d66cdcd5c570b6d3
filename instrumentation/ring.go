package instrumentation

import (
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/novacron/dwcp-telemetry/decision"
)

// entry is a decision as it waits in the ring.
type entry struct {
	decision decision.Decision
	traceID  trace.TraceID
	spanID   trace.SpanID
	flags    trace.TraceFlags
}

// ring is a bounded queue: any goroutine puts, one takes. Entries are copied
// in by value and read in place, so neither side allocates and the taker never
// holds the lock while it works.
type ring struct {
	mu      sync.Mutex
	slots   []entry
	next    int // slot that put fills next
	first   int // slot that was filled first; the taker's own
	head    uint64
	tail    uint64 // head ≤ positions in the ring < tail; so tail counts what was accepted
	dropped uint64
	closed  bool
}

func newRing(capacity int) *ring { return &ring{slots: make([]entry, capacity)} }

// put copies d in and returns how many entries now wait: 0 where the ring was
// full and d is lost.
//
// A decision that is dropped has taken its sequence number all the same: that
// is how the loss is seen at the other end.
func (r *ring) put(d *decision.Decision, span trace.SpanContext, ratio float64, now time.Time) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return 0
	}
	return r.add(d, span, ratio, now)
}

// putLate is put for a decision that was open when the ring was closed.
func (r *ring) putLate(d *decision.Decision, span trace.SpanContext, ratio float64) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.add(d, span, ratio, time.Time{})
}

func (r *ring) add(d *decision.Decision, span trace.SpanContext, ratio float64, now time.Time) int {
	waiting := int(r.tail - r.head)
	if waiting >= len(r.slots) {
		r.dropped++
		return 0
	}
	e := &r.slots[r.next]
	e.decision = *d
	if e.decision.Timestamp.IsZero() {
		e.decision.Timestamp = now
	}
	e.decision.SamplingRatio = decision.Some(ratio)
	r.tail++
	e.decision.RecorderSequence = decision.Some(int64(r.tail + r.dropped))
	e.traceID, e.spanID, e.flags = span.TraceID(), span.SpanID(), span.TraceFlags()
	if r.next++; r.next == len(r.slots) {
		r.next = 0
	}
	return waiting + 1
}

// peek returns the oldest entries, at most limit, and the position of the
// first. They stay in the ring, and are the taker's to change, until release.
func (r *ring) peek(limit int) ([]entry, uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := min(int(r.tail-r.head), limit, len(r.slots)-r.first)
	return r.slots[r.first : r.first+n], r.head
}

// release gives back the n oldest slots.
func (r *ring) release(n int) {
	// A slot would otherwise keep its strings alive until it is used again.
	clear(r.slots[r.first : r.first+n])
	r.mu.Lock()
	defer r.mu.Unlock()
	r.head += uint64(n)
	if r.first += n; r.first == len(r.slots) {
		r.first = 0
	}
}

// close lets nothing more in. What waits stays.
func (r *ring) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
}

// discard frees the memory of a closed ring; its counts stay.
func (r *ring) discard() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.slots = nil
}

// room is how many more there may be.
func (r *ring) room() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.slots) - int(r.tail-r.head)
}

func (r *ring) waiting() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return int(r.tail - r.head)
}

// counts returns how many decisions were accepted and how many dropped.
func (r *ring) counts() (accepted, dropped uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.tail, r.dropped
}
