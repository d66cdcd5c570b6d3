package dwcp

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/instrumentation"
	"github.com/novacron/dwcp-telemetry/instrumentation/measure"
)

// Manager moves VMs. Any number of migrations may go on at once, of one VM and
// on one route only one.
type Manager struct {
	hde       *HDE // production's, and its baselines
	shadowHDE *HDE // for shadow runs; it never holds a baseline

	recorder *instrumentation.Recorder
	priors   *measure.Priors
}

// NewManager returns a manager that records into recorder, and whose decisions
// know what priors know: the Recorder's observer should be their Observe. Either
// may be nil.
func NewManager(recorder *instrumentation.Recorder, priors *measure.Priors) (*Manager, error) {
	m := &Manager{recorder: recorder, priors: priors}
	var err error
	if m.hde, err = NewHDE(); err != nil {
		return nil, err
	}
	if m.shadowHDE, err = NewHDE(); err != nil {
		m.hde.Close()
		return nil, err
	}
	return m, nil
}

// Close frees what the manager holds. The Recorder must have been shut down: its
// shadow runs use it.
func (m *Manager) Close() {
	m.hde.Close()
	m.shadowHDE.Close()
}

// Forget drops what the manager holds of a VM that is here no more.
func (m *Manager) Forget(vm string) { m.hde.Forget(vm) }

// Migration is one move of a VM's state.
type Migration struct {
	VM        string
	RequestID string // opaque: nothing of the VM's
	SessionID string // opaque; migrations of one move share it
	Kind      string // vm_memory, vm_disk, …
	Payload   []byte // may be overwritten once Migrate has returned
	Route     *Route
}

// Migrate moves a VM's state and returns once the next host has it. When the way
// chosen fails it tries the other.
func (m *Manager) Migrate(ctx context.Context, t Migration) (Moved, error) {
	if len(t.Payload) == 0 || len(t.Payload) > MaxTransferBytes {
		return Moved{}, fmt.Errorf("migrate: a payload must have 1..%d bytes, got %d", MaxTransferBytes, len(t.Payload))
	}
	t.Route.migrating.Lock()
	defer t.Route.migrating.Unlock()
	baseline := m.hde.Baseline(t.VM)
	known := m.known(&t, baseline)
	chosen := Choose(&known)
	known.ActualAlgorithm = decision.Some(chosen)
	pending := m.recorder.Begin(ctx, &known)
	moved := m.move(ctx, &t, baseline, chosen)
	m.record(pending, &known, &t, baseline, &moved)
	if moved.Err != nil {
		return moved, fmt.Errorf("migrate by %s: %w", chosen, moved.Err)
	}
	return moved, nil
}

// Moved is how a migration went.
type Moved struct {
	Chosen        decision.Algorithm
	Outcome       decision.Outcome
	LatencyMillis float64 // from the start of the way chosen to the acknowledgement, whoever got it there
	Err           error   // why both ways failed

	hde  *instrumentation.HDERun  // nil where HDE did not run, or not to its end
	amst *instrumentation.AMSTRun // the same for AMST
}

// latency is missing where nobody got it there.
func (m *Moved) latency() decision.Opt[float64] {
	return decision.Opt[float64]{Value: m.LatencyMillis, Set: m.Outcome != decision.Failure}
}

// move runs the way chosen and, where it fails, the other.
func (m *Manager) move(ctx context.Context, t *Migration, baseline *Baseline, chosen decision.Algorithm) Moved {
	moved := Moved{Chosen: chosen, Outcome: decision.Success}
	start := time.Now()
	err := m.run(ctx, chosen, t, baseline, &moved)
	if err != nil && ctx.Err() == nil {
		moved.Outcome = decision.Fallback
		if again := m.run(ctx, other(chosen), t, baseline, &moved); again != nil {
			err = errors.Join(err, again)
		} else {
			err = nil
		}
	}
	if err != nil {
		moved.Outcome, moved.Err = decision.Failure, err
		return moved
	}
	moved.LatencyMillis = millis(time.Since(start))
	// Only now do both ends hold it. The payload is the caller's: Commit copies.
	m.hde.Commit(t.VM, t.Payload)
	t.Route.read()
	return moved
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// run moves the payload by one way, and leaves in moved what it cost.
func (m *Manager) run(ctx context.Context, way decision.Algorithm, t *Migration, baseline *Baseline, moved *Moved) error {
	if err := t.Route.streams.Connect(ctx); err != nil {
		return err
	}
	if way == decision.AMST {
		took, err := t.Route.streams.SendMeasured(ctx, transfer{vm: t.VM, body: t.Payload})
		if err != nil {
			return err
		}
		moved.amst = amstRun(took, len(t.Payload))
		return nil
	}
	encoded, cost := encode(m.hde, baseline, t.Route.LinkType(), t.Payload)
	moved.hde = cost
	return t.Route.streams.Send(ctx, transfer{vm: t.VM, flags: flagHDE, body: encoded.Bytes})
}

// encode is HDE's part that is HDE's cost: compression, no transfer.
func encode(h *HDE, baseline *Baseline, link decision.LinkType, payload []byte) (Encoded, *instrumentation.HDERun) {
	var encoded Encoded
	took := measure.Thread(func() { encoded = h.Encode(baseline, link, payload) })
	return encoded, &instrumentation.HDERun{
		CompressionRatio: decision.Some(encoded.Ratio),
		DeltaHitRate:     decision.Some(encoded.DeltaHitRate),
		LatencyMillis:    took.LatencyMillis,
		CPUUsage:         took.CPUUsage,
	}
}

func amstRun(took measure.Run, payloadBytes int) *instrumentation.AMSTRun {
	return &instrumentation.AMSTRun{
		TransferRateMbps: took.RateMbps(int64(payloadBytes)),
		LatencyMillis:    took.LatencyMillis,
		CPUUsage:         took.CPUUsage,
	}
}
