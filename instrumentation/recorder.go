package instrumentation

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/trace"

	"github.com/novacron/dwcp-telemetry/decision"
)

// Recorder takes decisions from DWCP and delivers them in the background. All
// its methods may be called by any number of goroutines, and on a nil Recorder,
// which records nothing.
type Recorder struct {
	id         decision.UUID
	enabled    atomic.Bool
	sampler    sampler
	sampledOut atomic.Uint64

	ring    *ring // nil where OTEL_SDK_DISABLED is true: nothing is ever recorded
	open    *openDecisions
	shadows *shadows
	sink    sink
	ledger  *ledger
	metrics *metrics
	report  *reporter
	observe func(*decision.Decision) // nil where nobody asked
	vmIDs   vmIDs
	batch   int // decisions in the ring that wake the worker

	wake     chan struct{} // a batch is there
	flush    chan struct{} // a batch need not be full
	stopping chan struct{} // closed by Shutdown: deliver all there is, then end
	stop     sync.Once
	ctx      context.Context // ends when what is not delivered is given up
	giveUp   context.CancelFunc
	done     chan struct{} // closed when the worker has ended
}

// Record copies a decision, and the trace context of ctx, into the ring. It
// takes no lock, never allocates, never fails and never changes *d, which the
// caller may use again at once. A nil d is ignored; so is everything after Shutdown.
//
// A zero Timestamp becomes now, a zero EventID a new UUIDv7. RecorderID,
// RecorderSequence and SamplingRatio are the Recorder's to set: what the caller
// has put there is not sent. The rules of the event are for the collector to
// check, which keeps a decision that breaks them apart.
func (r *Recorder) Record(ctx context.Context, d *decision.Decision) {
	if r == nil || d == nil || !r.enabled.Load() {
		return
	}
	ratio, taken := r.sampler.take(d.RequestID)
	if !taken {
		r.sampledOut.Add(1)
		return
	}
	var now time.Time
	if d.Timestamp.IsZero() {
		now = time.Now() // not under the lock
	}
	r.wakeAt(r.ring.put(d, trace.SpanContextFromContext(ctx), ratio, now))
}

// wakeAt tells the worker when as many wait as make a batch, or more: it may
// have gone to sleep in front of one that was still being copied in.
func (r *Recorder) wakeAt(waiting int) {
	if waiting >= r.batch && len(r.wake) == 0 {
		select {
		case r.wake <- struct{}{}:
		default: // the worker has been told already
		}
	}
}

// ID returns the RecorderID that this Recorder's decisions carry: a new one
// for each Recorder.
func (r *Recorder) ID() decision.UUID {
	if r == nil {
		return decision.UUID{}
	}
	return r.id
}

// SetEnabled switches recording on or off, while running. Decisions that are
// waiting are delivered all the same.
func (r *Recorder) SetEnabled(enabled bool) {
	if r != nil && r.ring != nil {
		r.enabled.Store(enabled)
	}
}

// Enabled reports whether decisions are recorded.
func (r *Recorder) Enabled() bool { return r != nil && r.enabled.Load() }

// SetSamplingRatio changes the share of requests recorded, while running. The
// request id alone decides: every host takes the same requests at the same
// ratio, and a higher ratio only adds. A ratio outside 0..1 changes nothing.
func (r *Recorder) SetSamplingRatio(ratio float64) error {
	if err := checkRatio(ratio); err != nil {
		return fmt.Errorf("set the sampling ratio: %w", err)
	}
	if r != nil {
		r.sampler.set(ratio)
	}
	return nil
}

// SamplingRatio returns the share of requests recorded.
func (r *Recorder) SamplingRatio() float64 {
	if r == nil {
		return 0
	}
	return r.sampler.get()
}

// SetShadowRatio changes the share of the recorded decisions that ShouldShadow
// chooses, while running. The request id alone decides, independently of the
// sampling: every host chooses the same requests at the same ratio, and a higher
// ratio only adds. A ratio outside 0..1 changes nothing.
func (r *Recorder) SetShadowRatio(ratio float64) error {
	if err := checkRatio(ratio); err != nil {
		return fmt.Errorf("set the shadow ratio: %w", err)
	}
	if r != nil && r.shadows != nil {
		r.shadows.sampler.set(ratio)
	}
	return nil
}

// ShadowRatio returns the share of the recorded decisions that are chosen for a
// shadow run.
func (r *Recorder) ShadowRatio() float64 {
	if r == nil || r.shadows == nil {
		return 0
	}
	return r.shadows.sampler.get()
}

// New builds a Recorder that hands its decisions to a log.LoggerProvider: the
// one given, or the global one. FromEnv is for processes that have none.
func New(opts ...Option) (*Recorder, error) {
	c := defaultConfig()
	c.apply(opts)
	if err := c.validate(); err != nil {
		return nil, fmt.Errorf("new recorder: %w", err)
	}
	r, err := newRecorder(c)
	if err != nil {
		return nil, fmt.Errorf("new recorder: %w", err)
	}
	sink := &providerSink{ledger: r.ledger, report: r.report}
	if !r.report.guard("get a logger", func() { sink.logger = c.provider().Logger(scopeName) }) {
		return nil, errors.New("new recorder: the LoggerProvider panicked")
	}
	r.sink = sink
	go r.work()
	return r, nil
}

// newRecorder builds a Recorder without sink and with its worker not yet
// running.
func newRecorder(c config) (*Recorder, error) {
	id, err := uuid.NewRandom()
	if err != nil {
		return nil, fmt.Errorf("make the recorder's id: %w", err)
	}
	r := &Recorder{
		id:       decision.UUID(id),
		ring:     newRing(c.ringCapacity),
		ledger:   newLedger(),
		report:   newReporter(c.errorHandler),
		observe:  c.observer,
		vmIDs:    newVMIDs(c.vmIDKey),
		batch:    min(maxBatch, (c.ringCapacity+1)/2),
		wake:     make(chan struct{}, 1),
		flush:    make(chan struct{}, 1),
		stopping: make(chan struct{}),
		done:     make(chan struct{}),
	}
	r.open = newOpenDecisions(r, c)
	r.shadows = newShadows(c, r.report)
	r.ctx, r.giveUp = context.WithCancel(context.Background())
	r.sampler.set(c.samplingRatio)
	r.enabled.Store(c.enabled)
	if r.metrics, err = newMetrics(c.meterProvider, r.Stats, r.report); err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	return r, nil
}
