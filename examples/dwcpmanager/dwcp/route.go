package dwcp

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/instrumentation/measure"
)

// Route is a VM's way to its next host, and what is known of it.
type Route struct {
	link    *Link
	streams *Streams

	// The shadow runs': another link, another receiver.
	twin   *Link
	shadow *Streams

	meter measure.UtilizationMeter // of what others use, between migrations

	mu     sync.Mutex
	probes [8]time.Duration // the last ones, 0 where there is none yet
	probed int

	migrating, shadowing sync.Mutex // one at a time
}

// NewRoute returns a route over a link, not yet connected. The sink is where
// shadow runs go.
func NewRoute(link *Link, host *Host, sink *Sink) *Route {
	r := &Route{link: link, streams: NewStreams(link, host.Address()), twin: link.Twin()}
	r.shadow = NewStreams(r.twin, sink.Address())
	r.meter.CapacityMbps = link.spec.CapacityMbps
	return r
}

// Probe measures the round-trip time and takes a reading of the link's counter.
// It is to be called now and then while the route is idle, first of all before
// the first migration.
func (r *Route) Probe(ctx context.Context) error {
	rtt, err := r.streams.Ping(ctx)
	if err != nil {
		return fmt.Errorf("probe the route: %w", err)
	}
	r.mu.Lock()
	r.probes[r.probed%len(r.probes)] = rtt
	r.probed++
	r.mu.Unlock()
	r.read()
	return nil
}

// read takes a reading of the link's counter: at the end of each migration, and
// when the next is decided on, so that what lies between is other traffic.
func (r *Route) read() {
	now := time.Now()
	r.meter.Observe(now, r.link.Counter(now))
}

// RTTMillis is the smallest of the last round-trip times: what a busy machine
// adds to one is not the link's.
func (r *Route) RTTMillis() float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return millis(slices.Min(r.probes[:min(max(r.probed, 1), len(r.probes))]))
}

// LinkType is what kind of link the measurements say it is.
func (r *Route) LinkType() decision.LinkType {
	kind, _ := measure.DefaultLinkLimits().Classify(r.RTTMillis(), r.link.spec.CapacityMbps)
	return kind
}

// Bandwidth is what the link offers now and how much of it others have used since
// the last reading, in percent. Before there are two readings it is taken for
// idle.
func (r *Route) Bandwidth() (availableMbps, utilization float64) {
	r.read()
	now := time.Now()
	available := r.meter.AvailableMbps(now)
	if !available.Set {
		return r.link.spec.CapacityMbps, 0
	}
	return available.Value, r.meter.Percent(now).Value
}

// Close closes its streams.
func (r *Route) Close() {
	r.streams.Close()
	r.shadow.Close()
}
