package instrumentation

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/instrumentation/measure"
)

const (
	defaultShadowWorkers = 1
	maxShadowWorkers     = 64
	shadowQueue          = 4 // runs that wait, per worker; each holds a payload
)

// shadowOutcome is what became of the question whether to run a shadow.
type shadowOutcome uint8

const (
	shadowNotChosen  shadowOutcome = iota // by the ratio
	shadowTooLarge                        // the payload
	shadowOverBytes                       // the budget of bytes is used up
	shadowOverCPU                         // the budget of CPU is used up
	shadowQueueFull                       // too many are waiting
	shadowCompleted                       // its costs are in the decision
	shadowFailed                          // it returned an error
	shadowPanicked                        // recovered, or the goroutine was ended
	shadowUnfinished                      // the decision went out before
	shadowOutcomes
)

// shadowFunc runs an algorithm, and returns what puts the costs into the
// decision and the share of the machine that it measured.
type shadowFunc func(context.Context) (apply func(*openDecision), cpuUsage decision.Opt[float64], err error)

type shadowRun struct {
	pending  *Pending
	run      shadowFunc
	span     trace.SpanContext
	deadline time.Time
}

// shadows decides which shadow runs there are, and runs them. Where nothing is
// to be run there is no goroutine.
type shadows struct {
	sampler sampler
	report  *reporter
	ctx     context.Context // ends at Shutdown
	stop    context.CancelFunc

	mu       sync.Mutex
	budget   ShadowBudget
	bytes    bucket
	cpu      bucket
	workers  int
	reserved int // places taken: asked for, waiting or running
	running  int
	queue    []shadowRun
	closed   bool
	idle     chan struct{} // closed when closed and nothing runs
	counts   [shadowOutcomes]uint64
}

func newShadows(c config, report *reporter) *shadows {
	now := time.Now()
	s := &shadows{
		report:  report,
		budget:  c.shadowBudget,
		bytes:   newBucket(float64(c.shadowBudget.BytesPerSecond), now),
		cpu:     newBucket(cpuPerSecond(c.shadowBudget.CPUPercent), now),
		workers: c.shadowWorkers,
		idle:    make(chan struct{}),
	}
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.sampler.set(c.shadowRatio)
	return s
}

// admit decides, and reserves a place where it says yes.
func (s *shadows) admit(requestID string, payloadBytes int64) bool {
	if shadowPosition(requestID) >= s.sampler.get() {
		s.counted(shadowNotChosen)
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	bytesOpen, cpuOpen := s.bytes.open(now), s.cpu.open(now)
	switch {
	case payloadBytes > s.budget.MaxPayloadBytes:
		s.counts[shadowTooLarge]++
	case !bytesOpen:
		s.counts[shadowOverBytes]++
	case !cpuOpen:
		s.counts[shadowOverCPU]++
	case s.closed || s.reserved >= s.workers*(1+shadowQueue):
		s.counts[shadowQueueFull]++
	default:
		s.reserved++
		s.bytes.charge(float64(payloadBytes))
		return true
	}
	return false
}

// submit runs a shadow now or when a worker is free; not at all once Shutdown
// has been called, which waits for those that run. It has a place.
func (s *shadows) submit(run shadowRun) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		s.reserved--
		return
	}
	s.queue = append(s.queue, run)
	s.next()
}

// next starts as many runs as there may be at once.
func (s *shadows) next() {
	for s.running < s.workers && len(s.queue) > 0 {
		run := s.queue[0]
		s.queue[0] = shadowRun{}
		s.queue = s.queue[1:]
		s.running++
		go s.work(run)
	}
}

// work is one run. What follows it is started even where the run ends its
// goroutine.
func (s *shadows) work(run shadowRun) {
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.running--
		s.reserved--
		s.next()
		s.settleIdle()
	}()
	if !run.pending.isOpen() {
		return
	}
	ctx, cancel := context.WithDeadline(s.ctx, run.deadline)
	defer cancel()
	outcome, apply := shadowPanicked, func(*openDecision) {}
	defer func() { run.pending.shadowRan(outcome, apply) }()
	s.report.guard("run a shadow", func() {
		outcome, apply = s.measured(trace.ContextWithSpanContext(ctx, run.span), run.run)
	})
}

// measured runs a shadow and charges the CPU it took to the budget: what its
// own thread used or, where that is more, what it has measured of all its
// threads. Where neither is known, one core for the time it took.
func (s *shadows) measured(ctx context.Context, run shadowFunc) (outcome shadowOutcome, apply func(*openDecision)) {
	started, share := time.Now(), 100/float64(measure.CPUs())
	defer func() { s.charge(share, time.Since(started)) }()
	var said decision.Opt[float64]
	var err error
	own := measure.Thread(func() { apply, said, err = run(ctx) }).CPUUsage
	if own.Set || said.Set {
		share = max(own.Value, said.Value)
	}
	if err != nil {
		s.report.tell("shadow run", fmt.Errorf("run a shadow: %w", err))
		return shadowFailed, nil
	}
	return shadowCompleted, apply
}

func (s *shadows) charge(cpuUsage float64, took time.Duration) {
	if !(cpuUsage >= 0 && cpuUsage <= 100) { // what a run says may be anything
		cpuUsage = 100
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cpu.charge(cpuPerSecond(cpuUsage) * took.Seconds())
}

// unfinished notes that a decision went out without the run it waited for.
func (s *shadows) unfinished(state shadowState) {
	if state == shadowAsked {
		s.ended(shadowUnfinished)
	} else {
		s.counted(shadowUnfinished) // the run still holds its place
	}
}

// ended counts an outcome and gives the place back.
func (s *shadows) ended(outcome shadowOutcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[outcome]++
	s.reserved--
}

func (s *shadows) counted(outcome shadowOutcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[outcome]++
}

// close ends the ctx of what runs, gives up what waits and lets nothing more in.
func (s *shadows) close() {
	s.stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reserved -= len(s.queue)
	s.closed, s.queue = true, nil
	s.settleIdle()
}

func (s *shadows) settleIdle() {
	if s.closed && s.running == 0 {
		select {
		case <-s.idle:
		default:
			close(s.idle)
		}
	}
}

// wait returns when nothing runs any more, or ctx ends.
func (s *shadows) wait(ctx context.Context) {
	select {
	case <-s.idle:
	case <-ctx.Done():
	}
}

func (s *shadows) stats() ShadowStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := &s.counts
	return ShadowStats{
		NotChosen: n[shadowNotChosen], TooLarge: n[shadowTooLarge], OverBytes: n[shadowOverBytes],
		OverCPU: n[shadowOverCPU], QueueFull: n[shadowQueueFull],
		Completed: n[shadowCompleted], Failed: n[shadowFailed], Panicked: n[shadowPanicked], Unfinished: n[shadowUnfinished],
	}
}
