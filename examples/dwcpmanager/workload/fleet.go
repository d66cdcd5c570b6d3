package workload

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/examples/dwcpmanager/dwcp"
	"github.com/novacron/dwcp-telemetry/instrumentation"
	"github.com/novacron/dwcp-telemetry/instrumentation/measure"
)

// Fleet is VMs on their routes to another host, and the manager that moves them.
type Fleet struct {
	config   Config
	recorder *instrumentation.Recorder
	priors   *measure.Priors
	manager  *dwcp.Manager
	host     *dwcp.Host
	sink     *dwcp.Sink
	slots    []*slot

	mu      sync.Mutex
	report  Report
	failure error
}

// Report is what a fleet did.
type Report struct {
	Migrations int // that ended, one way or the other
	Fallbacks  int
	Failures   int
	LastError  error // of the failures
	Chosen     map[decision.Algorithm]int
}

// New starts a host, a receiver for shadow runs, and VMs. See [dwcp.NewManager].
func New(ctx context.Context, recorder *instrumentation.Recorder, priors *measure.Priors, c Config) (*Fleet, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	f := &Fleet{config: c, recorder: recorder, priors: priors, report: Report{Chosen: map[decision.Algorithm]int{}}}
	if err := f.open(ctx); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func (f *Fleet) open(ctx context.Context) (err error) {
	if f.manager, err = dwcp.NewManager(f.recorder, f.priors); err != nil {
		return err
	}
	if f.host, err = dwcp.NewHost(); err != nil {
		return err
	}
	if f.sink, err = dwcp.NewSink(); err != nil {
		return err
	}
	for i := range f.config.VMs {
		if err := f.addSlot(ctx, i); err != nil {
			return err
		}
	}
	return nil
}

// firstProbes are enough for one that nothing has held up.
const firstProbes = 4

// addSlot adds a VM on a link of its own: like those of its kind, a little
// faster or slower, nearer or farther.
func (f *Fleet) addSlot(ctx context.Context, number int) error {
	kind := f.config.Links[number%len(f.config.Links)]
	s := &slot{fleet: f, number: number, link: kind, rand: rand.New(rand.NewPCG(f.config.Seed, uint64(number)))}
	spec := dwcp.Specs[kind]
	spec.CapacityMbps *= 0.75 + 0.5*s.rand.Float64()
	spec.RTT = time.Duration(float64(spec.RTT) * (0.6 + 0.8*s.rand.Float64()))
	var err error
	if s.wire, err = dwcp.NewLink(spec); err != nil {
		return err
	}
	s.wire.SetBackground(0.6 * s.rand.Float64())
	s.route = dwcp.NewRoute(s.wire, f.host, f.sink)
	f.slots = append(f.slots, s)
	if err := s.nextVM(); err != nil {
		return err
	}
	for range firstProbes {
		if err := s.route.Probe(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Close stops host and receivers. The Recorder must have been shut down.
func (f *Fleet) Close() {
	for _, s := range f.slots {
		s.route.Close()
	}
	if f.sink != nil {
		f.sink.Close()
	}
	if f.host != nil {
		f.host.Close()
	}
	if f.manager != nil {
		f.manager.Close()
	}
}

// drainLimit bounds the wait for shadow runs at the end, and what is left of it
// once ctx has ended.
const (
	drainLimit      = 30 * time.Second
	drainOnceEnded  = 2 * time.Second
	drainTick       = 10 * time.Millisecond
	tooManyFailures = 20 // in a row: something is wrong with the machine
)

// Run moves VMs until the configuration's bound is reached or ctx ends, and then
// waits for what is under way. The end of ctx is no error.
func (f *Fleet) Run(ctx context.Context) (Report, error) {
	running, stop := context.WithCancel(ctx)
	defer stop()
	if f.config.Duration > 0 {
		running, stop = context.WithTimeout(running, f.config.Duration)
		defer stop()
	}
	turns := make(chan struct{})
	var moving sync.WaitGroup
	for _, s := range f.slots {
		moving.Go(func() {
			if err := f.work(running, s, turns); err != nil && running.Err() == nil {
				f.fail(err)
				stop()
			}
		})
	}
	f.pace(running, turns)
	close(turns)
	moving.Wait()
	f.drain(ctx)
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.report, f.failure
}

// pace gives out turns at the configured rate, as long as there is one to take
// them: what the links do not carry is not caught up with.
func (f *Fleet) pace(ctx context.Context, turns chan<- struct{}) {
	tick := time.NewTicker(time.Duration(float64(time.Second) / f.config.Rate))
	defer tick.Stop()
	for given := 0; f.config.Decisions == 0 || given < f.config.Decisions; given++ {
		select {
		case turns <- struct{}{}:
		case <-ctx.Done():
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// work moves a slot's VM at each of its turns.
func (f *Fleet) work(ctx context.Context, s *slot, turns <-chan struct{}) error {
	failures := 0
	for range turns {
		moved, err := s.move(ctx)
		f.count(moved, err)
		if failures++; err == nil {
			failures = 0
		}
		if failures == tooManyFailures {
			return fmt.Errorf("%d migrations in a row have failed: %w", failures, err)
		}
		if err := s.rest(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (f *Fleet) count(moved dwcp.Moved, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := &f.report
	r.Migrations++
	r.Chosen[moved.Chosen]++
	switch {
	case err != nil:
		r.Failures, r.LastError = r.Failures+1, err
	case moved.Outcome == decision.Fallback:
		r.Fallbacks++
	}
	if f.config.Progress != nil {
		f.config.Progress(r.Migrations, f.config.Decisions)
	}
}

func (f *Fleet) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failure = errors.Join(f.failure, err)
}

// drain waits for the shadow runs, without which their decisions would go out
// incomplete.
func (f *Fleet) drain(ctx context.Context) {
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainLimit)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(drainOnceEnded, cancel) })
	defer stop()
	for f.recorder.Stats().Open > 0 {
		select {
		case <-limited.Done():
			return
		case <-time.After(drainTick):
		}
	}
}
