package instrumentation

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel"
)

const reportInterval = time.Minute

// reporter passes each kind of trouble on at most once a minute: a collector
// that is away for an hour must not fill DWCP's log.
type reporter struct {
	handler otel.ErrorHandler
	now     func() time.Time
	panics  atomic.Uint64

	mu   sync.Mutex
	last map[string]time.Time // per kind; kinds are few
}

func newReporter(h otel.ErrorHandler) *reporter {
	return &reporter{handler: h, now: time.Now, last: map[string]time.Time{}}
}

func (r *reporter) tell(kind string, err error) {
	if r.due(kind) {
		// The handler is foreign code: its panic must not end the worker.
		defer func() {
			if recover() != nil {
				r.panics.Add(1)
			}
		}()
		r.handler.Handle(err)
	}
}

func (r *reporter) due(kind string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	if last, told := r.last[kind]; told && now.Sub(last) < reportInterval {
		return false
	}
	r.last[kind] = now
	return true
}

// guard runs what calls foreign code: a panic in there must not reach DWCP. It
// returns whether there was none.
func (r *reporter) guard(doing string, f func()) (ok bool) {
	defer func() {
		if cause := recover(); cause != nil {
			r.panics.Add(1)
			r.tell("panic: "+doing, fmt.Errorf("%s: panic: %v", doing, cause))
		}
	}()
	f()
	return true
}
