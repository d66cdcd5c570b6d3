package dashboard

import (
	"context"
	"errors"
	"sync"
	"time"
)

// poller reads while somebody looks, for all of them at once.
type poller struct {
	interval time.Duration
	read     func(context.Context) *Snapshot
	wake     chan struct{}

	mu      sync.Mutex
	latest  *Snapshot // nil until the first reading
	viewers map[*viewer]struct{}
}

// viewer is one who looks. What it was slow to take is replaced by what is newer.
type viewer struct{ snapshots chan *Snapshot }

// restFactor bounds what looking costs the database: a reading of 26 ms, which is
// what a ledger of 50 million decisions takes, is repeated after half a second at the
// earliest.
const restFactor = 20

// longestRest is how late the recovery of a database that hung may be noticed.
const longestRest = 30 * time.Second

// maxViewers bounds connections and memory.
const maxViewers = 100

var errTooManyViewers = errors.New("too many look at this page already")

func newPoller(interval time.Duration, read func(context.Context) *Snapshot) *poller {
	return &poller{interval: interval, read: read, wake: make(chan struct{}, 1), viewers: map[*viewer]struct{}{}}
}

// run ends with ctx.
func (p *poller) run(ctx context.Context) {
	for ctx.Err() == nil {
		if !p.watched() {
			select {
			case <-ctx.Done():
			case <-p.wake:
			}
			continue
		}
		began := time.Now()
		p.publish(p.read(ctx))
		select {
		case <-ctx.Done():
		case <-time.After(rest(p.interval, time.Since(began))):
		}
	}
}

func rest(interval, took time.Duration) time.Duration {
	return max(interval, min(longestRest, restFactor*took))
}

func (p *poller) watched() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.viewers) > 0
}

func (p *poller) publish(s *Snapshot) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.latest = s
	for v := range p.viewers {
		v.offer(s)
	}
}

// offer never waits: only publish and join call it, one at a time.
func (v *viewer) offer(s *Snapshot) {
	select {
	case <-v.snapshots:
	default:
	}
	v.snapshots <- s
}

// join begins with the latest snapshot where that is not old.
func (p *poller) join() (*viewer, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.viewers) >= maxViewers {
		return nil, errTooManyViewers
	}
	v := &viewer{snapshots: make(chan *Snapshot, 1)}
	p.viewers[v] = struct{}{}
	if p.latest != nil && time.Since(p.latest.At) < p.interval {
		v.offer(p.latest)
	}
	select {
	case p.wake <- struct{}{}:
	default: // told already
	}
	return v, nil
}

func (p *poller) leave(v *viewer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.viewers, v)
}

// current waits for a snapshot that is not old, but no longer than limit: then it
// returns the last one there was, which may be nil.
func (p *poller) current(ctx context.Context, limit time.Duration) (*Snapshot, error) {
	v, err := p.join()
	if err != nil {
		return nil, err
	}
	defer p.leave(v)
	select {
	case s := <-v.snapshots:
		return s, nil
	case <-time.After(limit):
	case <-ctx.Done():
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.latest, nil
}
