package instrumentation

import (
	"runtime"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/novacron/dwcp-telemetry/decision"
)

const (
	defaultPendingLimit   = 4096 // 4 MiB
	maxPendingLimit       = 1 << 20
	defaultPendingTimeout = 5 * time.Minute

	// sendAtOnce is how many go out before others get at the lock: thousands may
	// reach their deadline together, and no caller is to wait for all of them.
	sendAtOnce = 32
)

// openDecision is a decision begun and not yet gone out. Its memory is used again
// for another, so that a decision leaves 32 bytes to the garbage collector and
// not 1 kB.
type openDecision struct {
	turn       uint64 // one more for each decision that it held before
	span       trace.SpanContext
	ratio      float64
	deadline   time.Time     // read from the monotonic clock
	prev, next *openDecision // in the order of deadlines; next also among the free

	decision decision.Decision
	finished bool
	shadow   shadowState
}

func (o *openDecision) complete() bool { return o.finished && !o.shadow.outstanding() }

// openDecisions are all of them. All are given the same time, so the list is in
// the order of their deadlines and one timer serves all.
type openDecisions struct {
	recorder *Recorder
	limit    int
	timeout  time.Duration

	mu          sync.Mutex
	first, last *openDecision
	free        *openDecision
	count       int
	timer       *time.Timer
	closed      bool
	counts      openCounts
}

type openCounts struct {
	open     uint64 // decisions
	timedOut uint64 // decisions
	evicted  uint64 // decisions
	misused  uint64 // calls
}

func newOpenDecisions(r *Recorder, c config) *openDecisions {
	return &openDecisions{recorder: r, limit: c.pendingLimit, timeout: c.pendingTimeout}
}

// begin takes a decision in; nil after Shutdown. Where too many are open the
// oldest goes out as it is: its data is not lost, and a caller that forgets to
// finish cannot stop the recording of others.
func (o *openDecisions) begin(d *decision.Decision, span trace.SpanContext, ratio float64) *Pending {
	now := time.Now()
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return nil
	}
	if o.count >= o.limit {
		o.counts.evicted++
		o.send(o.first)
	}
	slot := o.slot()
	slot.span, slot.ratio, slot.deadline = span, ratio, now.Add(o.timeout)
	slot.decision = *d
	if d.Timestamp.IsZero() {
		slot.decision.Timestamp = now
	}
	o.append(slot)
	return &Pending{recorder: o.recorder, slot: slot, turn: slot.turn}
}

func (o *openDecisions) slot() *openDecision {
	slot := o.free
	if slot == nil {
		return new(openDecision)
	}
	o.free, slot.next = slot.next, nil
	return slot
}

func (o *openDecisions) append(slot *openDecision) {
	slot.prev = o.last
	if o.last == nil {
		o.first = slot
		o.wakeAfter(o.timeout)
	} else {
		o.last.next = slot
	}
	o.last = slot
	o.count++
}

// send lets a decision go out with what it has.
func (o *openDecisions) send(slot *openDecision) {
	if slot.shadow.outstanding() {
		slot.decision.QualityFlags |= decision.ShadowTimeout
		o.recorder.shadows.unfinished(slot.shadow)
	}
	o.recorder.wakeAt(o.recorder.ring.putLate(&slot.decision, slot.span, slot.ratio))
	o.remove(slot)
}

// remove frees a slot: no Pending reaches it any more.
func (o *openDecisions) remove(slot *openDecision) {
	if slot.prev == nil {
		o.first = slot.next
	} else {
		slot.prev.next = slot.next
	}
	if slot.next == nil {
		o.last = slot.prev
	} else {
		slot.next.prev = slot.prev
	}
	*slot = openDecision{turn: slot.turn + 1}
	if !o.closed {
		slot.next, o.free = o.free, slot
	}
	o.count--
}

func (o *openDecisions) wakeAfter(pause time.Duration) {
	if o.timer == nil {
		o.timer = time.AfterFunc(pause, o.expire)
		return
	}
	o.timer.Reset(pause)
}

// expire sends what is past its deadline. The timer may have been set for one
// that has gone out since.
func (o *openDecisions) expire() {
	o.recorder.report.guard("send decisions past their deadline", func() {
		for o.expireSome() {
			runtime.Gosched()
		}
	})
}

// expireSome returns whether there may be more of them.
func (o *openDecisions) expireSome() (more bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := time.Now()
	for range sendAtOnce {
		if o.first == nil || o.closed {
			return false
		}
		if left := o.first.deadline.Sub(now); left > 0 {
			o.wakeAfter(left)
			return false
		}
		o.counts.timedOut++
		o.send(o.first)
	}
	return true
}

// close lets no more in. What is open stays until flush or abandon.
func (o *openDecisions) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed, o.free = true, nil
	if o.timer != nil {
		o.timer.Stop()
	}
}

// flush sends the oldest, no more than fit, and returns whether any are left.
func (o *openDecisions) flush(fit int) (left bool) {
	for ; fit > sendAtOnce; fit -= sendAtOnce {
		if !o.flushSome(sendAtOnce) {
			return false
		}
		runtime.Gosched()
	}
	return o.flushSome(fit)
}

func (o *openDecisions) flushSome(most int) (left bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for ; o.first != nil && most > 0; most-- {
		o.send(o.first)
	}
	return o.first != nil
}

// abandon gives up what is left. It still counts as open: it was not delivered.
func (o *openDecisions) abandon() {
	o.mu.Lock()
	defer o.mu.Unlock()
	count := o.count
	for o.first != nil {
		o.remove(o.first)
	}
	o.count = count
}

func (o *openDecisions) stats() openCounts {
	o.mu.Lock()
	defer o.mu.Unlock()
	counts := o.counts
	counts.open = uint64(o.count)
	return counts
}
