package instrumentation

import (
	"sync"
	"time"

	"github.com/novacron/dwcp-telemetry/decision"
)

const (
	defaultPendingLimit   = 4096 // 4 MiB
	maxPendingLimit       = 1 << 20
	defaultPendingTimeout = 5 * time.Minute
)

// openDecisions are those begun and not yet gone out. All are given the same
// time, so the list is in the order of their deadlines and one timer serves all.
type openDecisions struct {
	recorder *Recorder
	limit    int
	timeout  time.Duration

	mu          sync.Mutex
	first, last *Pending
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

// add takes a decision in; false after Shutdown. Where too many are open the
// oldest goes out as it is: its data is not lost, and a caller that forgets to
// finish cannot stop the recording of others.
func (o *openDecisions) add(p *Pending, now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return false
	}
	if o.count >= o.limit {
		o.counts.evicted++
		o.send(o.first)
	}
	p.deadline = now.Add(o.timeout)
	p.prev = o.last
	if o.last == nil {
		o.first = p
		o.wakeAfter(o.timeout)
	} else {
		o.last.next = p
	}
	o.last = p
	o.count++
	return true
}

// send lets a decision go out with what it has.
func (o *openDecisions) send(p *Pending) {
	o.remove(p)
	if p.shadow.outstanding() {
		p.decision.QualityFlags |= decision.ShadowTimeout
		o.recorder.shadows.unfinished(p.shadow)
	}
	o.recorder.wakeAt(o.recorder.ring.putLate(&p.decision, p.span, p.ratio))
}

func (o *openDecisions) remove(p *Pending) {
	if p.prev == nil {
		o.first = p.next
	} else {
		p.prev.next = p.next
	}
	if p.next == nil {
		o.last = p.prev
	} else {
		p.next.prev = p.prev
	}
	p.prev, p.next = nil, nil
	p.gone = true
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
		o.mu.Lock()
		defer o.mu.Unlock()
		now := time.Now()
		for o.first != nil && !o.closed {
			if left := o.first.deadline.Sub(now); left > 0 {
				o.wakeAfter(left)
				return
			}
			o.counts.timedOut++
			o.send(o.first)
		}
	})
}

// close lets no more in. What is open stays until flush or abandon.
func (o *openDecisions) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	if o.timer != nil {
		o.timer.Stop()
	}
}

// flush sends the oldest, no more than fit, and returns whether any are left.
func (o *openDecisions) flush(fit int) (left bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for ; o.first != nil && fit > 0; fit-- {
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
