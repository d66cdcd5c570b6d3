package faults

import (
	"testing"
	"time"
)

// fault is one thing that breaks. A new one is one of these, passed to run.
type fault struct {
	// name is its row in RESULTS.md.
	name string
	// short and full are how often it is injected; 0 is 1.
	short, full int
	// promises are those it is tried under; none are both.
	promises []promise
	// collectors get the same events at once; 0 is 1.
	collectors int
	// agents and gateways, where there are any, stand for the collectors: agents are
	// sent to, each its own events, and gateways write.
	agents, gateways int
	// brokers, where there are any, are those of Kafka between agents and gateways.
	brokers int
	// ownServer is for what hurts all of PostgreSQL; others share one server and
	// have a database of their own.
	ownServer bool
	clock     time.Duration // how far the own server's clock is ahead of the collectors'
	// disk gives the rig a small one, dataOnDisk puts the own server's data there.
	disk, dataOnDisk bool
	// overlay is YAML over the configuration of what is sent to, gatewayOverlay over
	// that of gateways.
	overlay, gatewayOverlay string

	// prepare runs before the collectors start.
	prepare func(*rig)
	// events make what is sent; nil are good decisions.
	events source
	// inject breaks something while decisions flow, and returns once it is
	// mended. Then all must be acknowledged, and the account must be right.
	inject func(r *rig, round int)
	// verify looks at what the account does not.
	verify func(*rig)
}

// promise is what an acknowledgement means.
type promise struct {
	name     string
	overlays []string
}

var (
	tiered   = promise{name: "in an agent's queue on disk"}
	queued   = promise{name: "in the queue on disk"}
	onCommit = promise{name: "committed", overlays: []string{"deploy/ack-on-commit.yaml"}}
)

// run tries each fault under each promise.
func run(t *testing.T, faults ...fault) {
	t.Helper()
	for _, f := range faults {
		promises := f.promises
		switch {
		case promises != nil:
		case f.gateways > 0:
			promises = []promise{tiered}
		default:
			promises = []promise{queued, onCommit}
		}
		for _, p := range promises {
			t.Run(f.name+"/"+p.name, func(t *testing.T) {
				t.Parallel()
				f.run(t, p)
			})
		}
	}
}

func (f fault) rounds() int {
	if full {
		return max(1, f.full)
	}
	return max(1, f.short)
}

func (f fault) run(t *testing.T, p promise) {
	t.Helper()
	r := newRig(t, f, p)
	for round := range f.rounds() {
		r.startLoad()
		r.waitAcknowledged(warmUp)
		if f.inject != nil {
			f.inject(r, round)
		}
		r.waitAcknowledged(warmUp) // it works again
		r.settle()
		r.requireAccount()
	}
	if f.verify != nil {
		f.verify(r)
	}
	results.add(r, f)
}

// warmUp is how many decisions are acknowledged before a fault, and after it.
const warmUp = 400
