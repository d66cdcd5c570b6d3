package faults

import (
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestACollectorThatIsKilledLosesAndDoublesNothing(t *testing.T) {
	run(t, fault{
		name:  "kill -9 of the collector under load",
		short: 2, full: 20,
		inject: func(r *rig, _ int) {
			time.Sleep(rand.N(500 * time.Millisecond))
			r.collector().kill()
			r.collector().start()
		},
		verify: noteGap,
	}, fault{
		name:  "kill -9 of the collector while it starts, under load",
		short: 2, full: 20,
		inject: func(r *rig, _ int) {
			r.collector().kill()
			for range 3 {
				r.collector().launch()
				time.Sleep(rand.N(300 * time.Millisecond))
				r.collector().kill()
			}
			r.collector().start()
		},
		verify: noteGap,
	}, fault{
		name:  "SIGTERM of the collector under load",
		short: 2, full: 10,
		inject: func(r *rig, _ int) {
			time.Sleep(rand.N(500 * time.Millisecond))
			r.collector().end(syscall.SIGTERM)
			r.collector().start()
		},
	})
}

// kill is end with SIGKILL; it notes whether upstream's known gap was hit.
func (m *machine) kill() {
	m.Helper()
	m.gap.look(m.end(syscall.SIGKILL))
}

// gap counts the kills that hit upstream's known window: at start-up the
// persistent queue takes the items that were being written out of the store and
// puts them back one by one. What was out of it at that moment is lost.
type gap struct {
	kills int // with the durable queue
	hits  int
	items int // the most that may be lost in them, in requests
}

var fetching = regexp.MustCompile(`Fetching items left for dispatch by consumers.*"numberOfItems": (\d+)`)

func (g *gap) look(log string) {
	g.kills++
	begun := fetching.FindStringSubmatch(log)
	if begun == nil || strings.Contains(log, "Moved items for dispatching back to queue") {
		return
	}
	n, _ := strconv.Atoi(begun[1])
	g.hits, g.items = g.hits+1, g.items+n
}

// lostInKnownGap says whether that many events may be lost: with the durable
// queue, by kills that hit upstream's window.
func (r *rig) lostInKnownGap(lost int) bool {
	if r.promise.name != queued.name {
		return false
	}
	g := r.knownGap()
	return lost > 0 && lost <= g.items*requestEvents
}

func (r *rig) knownGap() (all gap) {
	for _, m := range r.collectors {
		all.kills, all.hits, all.items = all.kills+m.gap.kills, all.hits+m.gap.hits, all.items+m.gap.items
	}
	return all
}

// noteGap tells the window's toll.
func noteGap(r *rig) {
	if g := r.knownGap(); r.promise.name == queued.name {
		r.note("%d kills, %d of them in upstream's window at start-up, which may cost %d events and did cost %d",
			g.kills, g.hits, g.items*requestEvents, r.tally.lost)
	}
}
