package workload

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/examples/dwcpmanager/dwcp"
)

// shapes are the sizes of payloads that suit a link: a move shall take its time,
// and not all of ours.
var shapes = map[decision.LinkType]struct{ least, most int }{
	decision.DC:    {512 << 10, 4 << 20},
	decision.Metro: {512 << 10, 3 << 20},
	decision.WAN:   {256 << 10, 1536 << 10},
	decision.Edge:  {64 << 10, 384 << 10},
}

// slot is a place on a route for one VM after the other: each is moved in a
// session of several rounds, as live migration copies memory until little
// changes any more.
type slot struct {
	fleet  *Fleet
	number int
	link   decision.LinkType
	route  *dwcp.Route
	wire   *dwcp.Link
	rand   *rand.Rand

	vms     int // so far
	vm      string
	session string
	rounds  int // left in this session
	payload payload
}

// kinds of payloads, in the order in which the VMs of a slot have them.
const kinds = 4

// nextVM replaces the slot's VM by another.
func (s *slot) nextVM() error {
	s.forget()
	s.vm = fmt.Sprintf("vm-%d-%d", s.number, s.vms)
	s.session = uuid.NewString()
	s.rounds = 4 + s.rand.IntN(8)
	shape := shapes[s.link]
	size := (shape.least + s.rand.IntN(shape.most-shape.least)) / max(s.fleet.config.divide, 1)
	size = max(size-size%dbPageBytes, dbPageBytes)
	changes := 0.01 + 0.5*s.rand.Float64()*s.rand.Float64()
	var err error
	s.payload, err = s.newPayload(s.number/len(s.fleet.config.Links)+s.vms, size, changes)
	s.vms++
	return err
}

func (s *slot) newPayload(kind, size int, changes float64) (payload, error) {
	code, err := program()
	if err != nil {
		return nil, err
	}
	switch kind % kinds {
	case 0:
		return newMemory(s.rand, code, size, changes), nil
	case 1:
		return newDatabase(s.rand, size, changes), nil
	case 2:
		return newDisk(s.rand, code, size, changes), nil
	}
	return newEncrypted(s.rand, code, size)
}

func (s *slot) forget() {
	s.fleet.manager.Forget(s.vm)
	s.fleet.host.Forget(s.vm)
}

// moveLimit bounds one migration, however slow its link.
const moveLimit = 30 * time.Second

// move moves the VM once. It is not interrupted with ctx: what has begun ends.
func (s *slot) move(ctx context.Context) (dwcp.Moved, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), moveLimit)
	defer cancel()
	return s.fleet.manager.Migrate(ctx, dwcp.Migration{
		VM: s.vm, RequestID: uuid.NewString(), SessionID: s.session,
		Kind: s.payload.kind(), Payload: s.payload.bytes(), Route: s.route,
	})
}

// rest is what happens between two migrations: the VM runs on, other traffic
// comes and goes, the route is probed.
func (s *slot) rest(ctx context.Context) error {
	if s.rounds--; s.rounds <= 0 {
		if err := s.nextVM(); err != nil {
			return err
		}
	} else {
		s.payload.change()
	}
	step := 0.15 * s.rand.NormFloat64()
	s.wire.SetBackground(min(max(s.wire.Background()+step, 0), 0.8))
	return s.route.Probe(ctx)
}
