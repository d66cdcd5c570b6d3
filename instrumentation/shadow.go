package instrumentation

import (
	"context"

	"github.com/novacron/dwcp-telemetry/decision"
)

// shadowState is where the shadow run of one decision stands.
type shadowState uint8

const (
	shadowNone      shadowState = iota
	shadowAsked                 // ShouldShadow said yes, and a place is reserved
	shadowSubmitted             // the Recorder runs it, or will
	shadowEnded
)

func (s shadowState) outstanding() bool { return s == shadowAsked || s == shadowSubmitted }

// ShouldShadow decides whether the other algorithm is to be run on this payload
// too, only to be measured: the share of decisions that SetShadowRatio says, by
// the request id, as long as the budget lasts. It is to be asked once, before
// Finish, and best when the way chosen has ended: beside it the shadow run would
// slow both.
//
// After true the event waits for that run, until its deadline: hand the run to
// [Pending.ShadowHDE] or [Pending.ShadowAMST], or run it elsewhere and report it
// with Source Shadow. What is false, and why, is counted in [Stats].Shadow.
func (p *Pending) ShouldShadow() (run bool) {
	p.update(func(o *openDecision) bool {
		if o.shadow != shadowNone {
			return false
		}
		o.shadow = shadowEnded
		if run = p.recorder.shadows.admit(o.decision.RequestID, o.decision.PayloadBytes); run {
			o.shadow = shadowAsked
		}
		return true
	})
	return run
}

// ShadowHDE has HDE run in the background, only to be measured, and puts what
// it cost into the decision. To be called after ShouldShadow has said yes.
//
// run is called at most once, on a goroutine of the Recorder: never where the
// decision has gone out by then. What it reads must stay as it is until it
// returns: give it a copy of the payload (the memory is bounded, see
// [ShadowBudget]), leave that copy to the garbage collector, and let it work on
// a baseline of its own. Its ctx ends at the decision's deadline and at
// Shutdown; until it returns it holds its place, so it should heed it. Its
// error, or panic, leaves HDE unmeasured and is counted.
func (p *Pending) ShadowHDE(run func(context.Context) (HDERun, error)) {
	p.submit(func(ctx context.Context) (apply func(*openDecision), cpuUsage decision.Opt[float64], err error) {
		cost, err := run(ctx)
		cost.Source = decision.Shadow
		return func(o *openDecision) { o.setHDE(cost) }, cost.CPUUsage, err
	})
}

// ShadowAMST is the same as ShadowHDE for AMST.
func (p *Pending) ShadowAMST(run func(context.Context) (AMSTRun, error)) {
	p.submit(func(ctx context.Context) (apply func(*openDecision), cpuUsage decision.Opt[float64], err error) {
		cost, err := run(ctx)
		cost.Source = decision.Shadow
		return func(o *openDecision) { o.setAMST(cost) }, cost.CPUUsage, err
	})
}

func (p *Pending) submit(run shadowFunc) {
	p.update(func(o *openDecision) bool {
		if o.shadow != shadowAsked {
			return false
		}
		o.shadow = shadowSubmitted
		p.recorder.shadows.submit(shadowRun{pending: p, run: run, span: o.span, deadline: o.deadline})
		return true
	})
}

// shadowRan notes how a run of the Recorder's own ended, and lets the decision
// go out where that was all it waited for.
func (p *Pending) shadowRan(outcome shadowOutcome, apply func(*openDecision)) {
	all := p.recorder.open
	all.mu.Lock()
	defer all.mu.Unlock()
	if p.gone() {
		return // counted as unfinished when it went out
	}
	p.slot.shadow = shadowEnded
	if outcome == shadowCompleted {
		apply(p.slot)
	}
	p.recorder.shadows.counted(outcome)
	if p.slot.complete() {
		all.send(p.slot)
	}
}

// isOpen reports whether a decision has not gone out yet.
func (p *Pending) isOpen() bool {
	all := p.recorder.open
	all.mu.Lock()
	defer all.mu.Unlock()
	return !p.gone()
}
