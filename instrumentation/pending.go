package instrumentation

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/novacron/dwcp-telemetry/decision"
)

// Pending is a decision whose outcome is still open: what was known is fixed,
// what the runs cost comes later. It goes out as one event when [Pending.Finish]
// has been called and the shadow run that was asked for, if any, has ended; or
// at its deadline, or at Shutdown, with what it has by then.
//
// All its methods may be called by any number of goroutines, and on a nil
// Pending, which is what a decision that is not recorded has. A call that comes
// twice or too late changes nothing and is counted in [Stats].Misused.
type Pending struct {
	recorder   *Recorder
	span       trace.SpanContext
	ratio      float64
	deadline   time.Time // read from the monotonic clock
	prev, next *Pending  // in the order of deadlines

	// The rest is guarded by the Recorder's openDecisions.
	decision decision.Decision
	finished bool
	shadow   shadowState
	gone     bool
}

// HDERun is what one run of HDE cost. What could not be measured stays unset.
type HDERun struct {
	// Source is Measured, for the way that moved the payload, or Shadow; empty
	// counts as Measured.
	Source           decision.Source
	CompressionRatio decision.Opt[float64] // raw over compressed bytes, of this run
	DeltaHitRate     decision.Opt[float64] // 0..100
	LatencyMillis    decision.Opt[float64] // compression only, no transfer
	CPUUsage         decision.Opt[float64] // 0..100 of the machine
}

// AMSTRun is what one run of AMST cost. What could not be measured stays unset.
type AMSTRun struct {
	// Source is Measured, for the way that moved the payload, or Shadow; empty
	// counts as Measured.
	Source           decision.Source
	TransferRateMbps decision.Opt[float64] // achieved
	LatencyMillis    decision.Opt[float64] // first write to the receiver's acknowledgement
	CPUUsage         decision.Opt[float64] // 0..100 of the machine
}

// Result is how the chosen way ended.
type Result struct {
	// Algorithm is the one that was chosen; empty leaves what Begin was told.
	Algorithm decision.Algorithm
	// Outcome is Success where it is empty. Failure and Fallback are to be
	// recorded like any other: without them a model sees survivors only.
	Outcome decision.Outcome
	// LatencyMillis runs from the start of the chosen way to the receiver's
	// acknowledgement, whoever got it there.
	LatencyMillis decision.Opt[float64]
	// ThroughputMbps is computed where it is unset: the payload's bits over
	// LatencyMillis, unless the transfer failed.
	ThroughputMbps decision.Opt[float64]
}

// Begin fixes what is known when the choice is made: it copies d, priors
// included, and the trace context of ctx, and decides whether the decision is
// sampled. It returns nil, which is safe to use, where it is not, or where
// nothing is recorded. It waits for nothing but a lock held for the time of a
// copy, makes one allocation, and never fails.
//
// A zero Timestamp becomes now. What the caller has put into the outcome's
// fields goes out as well, unless a run replaces it.
func (r *Recorder) Begin(ctx context.Context, d *decision.Decision) *Pending {
	if r == nil || d == nil || !r.enabled.Load() {
		return nil
	}
	ratio, taken := r.sampler.take(d.RequestID)
	if !taken {
		r.sampledOut.Add(1)
		return nil
	}
	now := time.Now()
	p := &Pending{recorder: r, span: trace.SpanContextFromContext(ctx), ratio: ratio, decision: *d}
	if p.decision.Timestamp.IsZero() {
		p.decision.Timestamp = now
	}
	if !r.open.add(p, now) {
		return nil
	}
	return p
}

// HDE adds what a run of HDE cost. A measured run replaces a shadow run; else
// the first stays.
func (p *Pending) HDE(run HDERun) {
	p.update(func() bool { return p.setHDE(run) })
}

// AMST adds what a run of AMST cost. A measured run replaces a shadow run; else
// the first stays.
func (p *Pending) AMST(run AMSTRun) {
	p.update(func() bool { return p.setAMST(run) })
}

// Finish says how the chosen way ended. The event goes out now, or when the
// shadow run that was asked for has ended.
func (p *Pending) Finish(result Result) {
	p.update(func() bool {
		if p.finished {
			return false
		}
		p.finished = true
		p.setResult(result)
		return true
	})
}

// update changes a decision that is still open, and sends it where it is then
// complete.
func (p *Pending) update(change func() bool) {
	if p == nil {
		return
	}
	o := p.recorder.open
	o.mu.Lock()
	defer o.mu.Unlock()
	if p.gone || !change() {
		o.counts.misused++
		return
	}
	if p.complete() {
		o.send(p)
	}
}

func (p *Pending) complete() bool { return p.finished && !p.shadow.outstanding() }

func (p *Pending) setHDE(run HDERun) bool {
	d := &p.decision
	if !replaces(run.Source, d.HDESource) {
		return false
	}
	d.HDESource = sourceOf(run.Source)
	d.HDECompressionRatio, d.HDEDeltaHitRate = run.CompressionRatio, run.DeltaHitRate
	d.HDELatencyMillis, d.HDECPUUsage = run.LatencyMillis, run.CPUUsage
	p.shadowIs(run.Source)
	return true
}

func (p *Pending) setAMST(run AMSTRun) bool {
	d := &p.decision
	if !replaces(run.Source, d.AMSTSource) {
		return false
	}
	d.AMSTSource = sourceOf(run.Source)
	d.AMSTTransferRateMbps = run.TransferRateMbps
	d.AMSTLatencyMillis, d.AMSTCPUUsage = run.LatencyMillis, run.CPUUsage
	p.shadowIs(run.Source)
	return true
}

// replaces tells whether a run goes before what is there.
func replaces(source decision.Source, there decision.Opt[decision.Source]) bool {
	return !there.Set || there.Value == decision.Shadow && source != decision.Shadow
}

func sourceOf(source decision.Source) decision.Opt[decision.Source] {
	if source == "" {
		source = decision.Measured
	}
	return decision.Some(source)
}

func (p *Pending) setResult(result Result) {
	d := &p.decision
	if result.Algorithm != "" {
		d.ActualAlgorithm = decision.Some(result.Algorithm)
	}
	if result.Outcome == "" {
		result.Outcome = decision.Success
	}
	d.ActualOutcome = decision.Some(result.Outcome)
	if result.LatencyMillis.Set {
		d.ActualLatencyMillis = result.LatencyMillis
	}
	switch {
	case result.ThroughputMbps.Set:
		d.ActualThroughputMbps = result.ThroughputMbps
	case result.LatencyMillis.Value > 0 && result.Outcome != decision.Failure:
		d.ActualThroughputMbps = decision.Some(float64(d.PayloadBytes) * 8 / (result.LatencyMillis.Value * 1000))
	}
}
