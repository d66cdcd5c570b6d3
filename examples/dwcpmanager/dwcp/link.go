package dwcp

import (
	"fmt"
	"sync"
	"time"

	"github.com/novacron/dwcp-telemetry/decision"
)

// LinkSpec says what a link is like.
type LinkSpec struct {
	CapacityMbps float64
	RTT          time.Duration // there and back, without queueing
	WindowBytes  int           // what one stream may have under way: its rate is at most window/RTT
	Streams      int           // how many AMST uses
	Region       string        // of the sender
	Tier         int64         // 1..3, 1 the best
}

// Specs are the four kinds of link. One stream cannot fill wan or edge, which is
// what AMST is for.
var Specs = map[decision.LinkType]LinkSpec{
	decision.DC:    {CapacityMbps: 1600, RTT: 400 * time.Microsecond, WindowBytes: 320 << 10, Streams: 2, Region: "eu-west-1a", Tier: 1},
	decision.Metro: {CapacityMbps: 600, RTT: 4 * time.Millisecond, WindowBytes: 320 << 10, Streams: 4, Region: "eu-west-1", Tier: 1},
	decision.WAN:   {CapacityMbps: 200, RTT: 60 * time.Millisecond, WindowBytes: 320 << 10, Streams: 8, Region: "eu-west-1", Tier: 2},
	decision.Edge:  {CapacityMbps: 40, RTT: 30 * time.Millisecond, WindowBytes: 80 << 10, Streams: 4, Region: "eu-edge-7", Tier: 3},
}

// Link emulates the path to another host: all connections made over it share
// its rate, and each byte takes half the round-trip time in either direction.
// Only what is written at the sender's end takes rate: the other direction
// carries acknowledgements.
type Link struct {
	spec LinkSpec

	mu         sync.Mutex
	background float64   // share of the capacity that others use, 0..1
	free       time.Time // when the last byte reserved so far has left
	counted    float64   // bytes of anybody until countedAt
	countedAt  time.Time
}

// NewLink returns an idle link.
func NewLink(spec LinkSpec) (*Link, error) {
	if spec.CapacityMbps <= 0 || spec.RTT < 0 || spec.WindowBytes < pieceBytes || spec.Streams < 1 {
		return nil, fmt.Errorf("link: must have a capacity, a window of at least %d bytes and a stream, got %+v", pieceBytes, spec)
	}
	return &Link{spec: spec, countedAt: time.Now()}, nil
}

// Spec returns what the link is like.
func (l *Link) Spec() LinkSpec { return l.spec }

// SetBackground says which share of the capacity other traffic takes, 0..0.95.
func (l *Link) SetBackground(share float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.countOthers(time.Now())
	l.background = min(max(share, 0), 0.95)
}

// Background returns the share of the capacity that other traffic takes.
func (l *Link) Background() float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.background
}

// AvailableMbps is what the link offers now, other traffic off.
func (l *Link) AvailableMbps() float64 { return l.spec.CapacityMbps * (1 - l.Background()) }

// Twin returns a link with the same figures for a shadow run, which then takes
// nothing from production. A real link has no twin: there the budget of the
// shadow runs has to be small beside the link.
func (l *Link) Twin() *Link {
	return &Link{spec: l.spec, background: l.Background(), countedAt: time.Now()}
}

// Counter is how many bytes the link has carried, whoever sent them: what an
// interface's counter would say.
func (l *Link) Counter(now time.Time) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.countOthers(now)
	return uint64(l.counted)
}

func (l *Link) count(bytes int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counted += float64(bytes)
}

// countOthers counts what others have sent since it was last called.
func (l *Link) countOthers(now time.Time) {
	if seconds := now.Sub(l.countedAt).Seconds(); seconds > 0 {
		l.counted += seconds * l.background * l.spec.CapacityMbps * 1e6 / 8
		l.countedAt = now
	}
}

// reserve books the link for that many bytes after all that was booked before,
// and returns when the last of them has left. An idle link saves nothing up: there
// are no bursts.
func (l *Link) reserve(bytes int, now time.Time) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.free.Before(now) {
		l.free = now
	}
	mbps := l.spec.CapacityMbps * (1 - l.background)
	l.free = l.free.Add(time.Duration(float64(bytes) * 8 / mbps * float64(time.Microsecond)))
	return l.free
}
