package faults

import (
	"math/rand/v2"
	"regexp"
	"syscall"
	"testing"
	"time"
)

func TestACollectorThatIsKilledLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	run(t, fault{
		name:  "kill -9 of the collector under load",
		short: 2, full: 20,
		inject: func(r *rig, _ int) {
			time.Sleep(rand.N(500 * time.Millisecond))
			r.collector().kill()
			r.collector().start()
		},
		verify: noteKills,
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
		verify: noteKills,
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

// kill is end with SIGKILL.
func (m *machine) kill() {
	m.Helper()
	m.end(syscall.SIGKILL)
	m.tally.kills++
	if started.MatchString(m.process.Load().Log()) {
		return
	}
	m.tally.early++
}

// started is logged once a collector takes requests.
var started = regexp.MustCompile(`Everything is ready`)

func noteKills(r *rig) {
	r.note("%d kills, %d of them before the collector was ready", r.tally.kills, r.tally.early)
}
