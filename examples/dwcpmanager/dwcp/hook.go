package dwcp

import (
	"slices"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/instrumentation"
	"github.com/novacron/dwcp-telemetry/instrumentation/measure"
)

// This file is the hook: what DWCP adds to have its decisions recorded. Beside
// it a process has these lines at its start and end:
//
//	priors, err := measure.NewPriors(measure.PriorsOptions{})
//	recorder, err := instrumentation.FromEnv(ctx, instrumentation.WithObserver(priors.Observe))
//	err = recorder.Shutdown(ctx)
//
// and Manager.Migrate these four:
//
//	known := m.known(&t, baseline)                      // before the choice
//	known.ActualAlgorithm = decision.Some(chosen)       // once it is made
//	pending := m.recorder.Begin(ctx, &known)
//	m.record(pending, &known, &t, baseline, &moved)      // after the transfer

// known is what is known before either way has run.
func (m *Manager) known(t *Migration, baseline *Baseline) decision.Decision {
	available, utilization := t.Route.Bandwidth()
	d := decision.Decision{
		VMID: t.VM, RequestID: t.RequestID, SessionID: decision.Some(t.SessionID),
		LinkType: t.Route.LinkType(), Region: t.Route.link.spec.Region, NetworkTier: t.Route.link.spec.Tier,
		BandwidthAvailableMbps: available, BandwidthUtilization: utilization, RTTMillis: t.Route.RTTMillis(),
		PayloadBytes: int64(len(t.Payload)), PayloadType: t.Kind, HasBaseline: baseline != nil,
		AMSTStreamCount: decision.Some(int64(t.Route.streams.Count())),
	}
	measure.SampleBytes(t.Payload).Fill(&d) // entropy and repetition, from 16 KiB of it
	m.priors.Fill(&d)                       // what both ways have cost so far
	return d
}

// record says how the way chosen went, and has the other one run in its shadow
// where the Recorder wants it. p is nil where the decision is not sampled.
func (m *Manager) record(p *instrumentation.Pending, known *decision.Decision, t *Migration, baseline *Baseline, moved *Moved) {
	if moved.hde != nil {
		p.HDE(*moved.hde)
	}
	if moved.amst != nil {
		p.AMST(*moved.amst)
	}
	if moved.Outcome == decision.Success && p.ShouldShadow() {
		if moved.Chosen == decision.HDE {
			p.ShadowAMST(t.Route.shadowOfAMST(t.VM, slices.Clone(t.Payload)))
		} else {
			p.ShadowHDE(m.shadowOfHDE(known.LinkType, baseline, slices.Clone(t.Payload)))
		}
	}
	p.Finish(instrumentation.Result{Outcome: moved.Outcome, LatencyMillis: moved.latency()})
}
