package dwcp

import (
	"errors"
	"slices"
	"sync"
)

// Host is the machine VMs are moved to: it holds their state, and the baselines
// that HDE decodes with.
type Host struct {
	receiver *receiver
	hde      *HDE

	mu    sync.Mutex
	state map[string][]byte // of each VM, as it arrived
}

// NewHost starts a host on the loopback interface.
func NewHost() (*Host, error) {
	hde, err := NewHDE()
	if err != nil {
		return nil, err
	}
	h := &Host{hde: hde, state: map[string][]byte{}}
	if h.receiver, err = listen(h.take); err != nil {
		hde.Close()
		return nil, err
	}
	return h, nil
}

// Address is where its streams go.
func (h *Host) Address() string { return h.receiver.address() }

// State returns a copy of what has arrived of a VM, nil where nothing has.
func (h *Host) State(vm string) []byte {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.state[vm])
}

// take is production's: what arrives becomes the VM's state and baseline.
func (h *Host) take(t arrived) verdict {
	if t.flags&flagShadow != 0 {
		return notForYou
	}
	payload := t.body
	if t.flags&flagHDE != 0 {
		var err error
		payload, err = h.hde.Decode(h.hde.Baseline(t.vm), t.body)
		switch {
		case errors.Is(err, ErrUnknownBaseline):
			return unknownBaseline
		case err != nil:
			return unreadable
		}
	}
	h.hde.adopt(t.vm, payload)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.state[t.vm] = payload
	return accepted
}

// Forget drops a VM: it has moved on.
func (h *Host) Forget(vm string) {
	h.hde.Forget(vm)
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.state, vm)
}

// Close ends all streams at once, as the host's death would.
func (h *Host) Close() {
	h.receiver.close()
	h.hde.Close()
}

// NewSink starts a receiver that acknowledges whatever arrives whole and keeps
// none of it: where shadow runs go.
func NewSink() (*Sink, error) {
	receiver, err := listen(func(arrived) verdict { return accepted })
	if err != nil {
		return nil, err
	}
	return &Sink{receiver}, nil
}

// Sink is a receiver without a state.
type Sink struct{ receiver *receiver }

// Address is where its streams go.
func (s *Sink) Address() string { return s.receiver.address() }

// Close ends all streams.
func (s *Sink) Close() { s.receiver.close() }
