package dwcp

import (
	"bytes"
	"context"
	"errors"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/instrumentation"
)

// A shadow run measures the way that was not taken. It runs on a goroutine of the
// Recorder, when production has long got its acknowledgement, and must leave
// production as it is: another HDE, a baseline and a payload of its own, another
// receiver.

var errShadow = errors.New("shadow: what was encoded does not decode to the payload")

// shadowOfHDE encodes the payload against a copy of the baseline. Nothing is
// sent: HDE's costs are those of the compression. What it made is decoded, for a
// ratio of bytes that say something else would be no ratio.
func (m *Manager) shadowOfHDE(link decision.LinkType, baseline *Baseline, payload []byte) func(context.Context) (instrumentation.HDERun, error) {
	return func(ctx context.Context) (instrumentation.HDERun, error) {
		own := baseline.Copy() // a baseline never changes, so that there is time to copy it until now
		encoded, cost := encode(m.shadowHDE, own, link, payload)
		decoded, err := m.shadowHDE.Decode(own, encoded.Bytes)
		if err == nil && !bytes.Equal(decoded, payload) {
			err = errShadow
		}
		return *cost, errors.Join(err, ctx.Err())
	}
}

// shadowOfAMST sends the raw payload over the link's twin to a receiver that
// acknowledges and keeps nothing.
func (r *Route) shadowOfAMST(vm string, payload []byte) func(context.Context) (instrumentation.AMSTRun, error) {
	background := r.link.Background()
	return func(ctx context.Context) (instrumentation.AMSTRun, error) {
		r.shadowing.Lock()
		defer r.shadowing.Unlock()
		r.twin.SetBackground(background)
		if err := r.shadow.Connect(ctx); err != nil {
			return instrumentation.AMSTRun{}, err
		}
		took, err := r.shadow.SendMeasured(ctx, transfer{vm: vm, flags: flagShadow, body: payload})
		return *amstRun(took, len(payload)), err
	}
}
