package instrumentation

import (
	"context"

	"go.opentelemetry.io/otel/trace"

	"github.com/novacron/dwcp-telemetry/decision"
)

// Pending is a decision whose outcome is still open: what was known is fixed,
// what the runs cost comes later. It goes out as one event when [Pending.Finish]
// has been called and the shadow run that was asked for, if any, has ended; or
// at its deadline, or at Shutdown, with what it has by then.
//
// All its methods may be called by any number of goroutines, and on a nil
// Pending, which is what a decision that is not recorded has, or a zero one. A call that comes
// twice or too late changes nothing and is counted in [Stats].Misused.
type Pending struct {
	recorder *Recorder
	slot     *openDecision
	turn     uint64 // the slot's, as long as the decision is open
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
// few copies, makes one allocation of 32 bytes, and one of 1 kB where more are
// open than ever before, and never fails.
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
	return r.open.begin(d, trace.SpanContextFromContext(ctx), ratio)
}

// HDE adds what a run of HDE cost. A measured run replaces a shadow run; else
// the first stays.
func (p *Pending) HDE(run HDERun) {
	p.update(func(o *openDecision) bool { return p.ran(o, run.Source, o.setHDE(run)) })
}

// AMST adds what a run of AMST cost. A measured run replaces a shadow run; else
// the first stays.
func (p *Pending) AMST(run AMSTRun) {
	p.update(func(o *openDecision) bool { return p.ran(o, run.Source, o.setAMST(run)) })
}

// ran notes that the arm that was to be shadowed has come in by other ways than
// the Recorder's own runner.
func (p *Pending) ran(o *openDecision, source decision.Source, accepted bool) bool {
	if accepted && source == decision.Shadow && o.shadow == shadowAsked {
		o.shadow = shadowEnded
		p.recorder.shadows.ended(shadowCompleted)
	}
	return accepted
}

// Finish says how the chosen way ended. The event goes out now, or when the
// shadow run that was asked for has ended.
func (p *Pending) Finish(result Result) {
	p.update(func(o *openDecision) bool {
		if o.finished {
			return false
		}
		o.finished = true
		o.setResult(result)
		return true
	})
}

// update changes a decision that is still open, and sends it where it is then
// complete.
func (p *Pending) update(change func(*openDecision) bool) {
	if p == nil || p.recorder == nil {
		return
	}
	all := p.recorder.open
	all.mu.Lock()
	defer all.mu.Unlock()
	if p.gone() || !change(p.slot) {
		all.counts.misused++
		return
	}
	if p.slot.complete() {
		all.send(p.slot)
	}
}

// gone reports, under the lock, whether the decision has gone out: its slot is
// then free, or another's.
func (p *Pending) gone() bool { return p.slot.turn != p.turn }
