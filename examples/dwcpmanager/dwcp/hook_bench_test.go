//go:build unix

package dwcp

import (
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/log/noop"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/instrumentation"
	"github.com/novacron/dwcp-telemetry/instrumentation/measure"
)

// nowhere is a Recorder whose decisions end at a provider that does nothing:
// what is left is the hook's own cost.
func nowhere(b *testing.B, priors *measure.Priors) *instrumentation.Recorder {
	b.Helper()
	r, err := instrumentation.New(instrumentation.WithLoggerProvider(noop.NewLoggerProvider()), instrumentation.WithObserver(priors.Observe))
	require.NoError(b, err)
	b.Cleanup(func() { _ = r.Shutdown(b.Context()) })
	return r
}

func newTestPriors(t testing.TB) *measure.Priors {
	t.Helper()
	priors, err := measure.NewPriors(measure.PriorsOptions{MinRuns: 1})
	require.NoError(t, err)
	return priors
}

// BenchmarkHook is what the hook's lines take on the caller's goroutine: what is
// known, the choice's Begin, the costs, Finish. Nothing is moved.
func BenchmarkHook(b *testing.B) {
	priors := newTestPriors(b)
	s := setup(b, nowhere(b, priors), priors, quick)
	t := s.migration(compressible(1 << 20))
	hde := instrumentation.HDERun{CompressionRatio: decision.Some(3.0), LatencyMillis: decision.Some(4.0), CPUUsage: decision.Some(50.0)}
	moved := Moved{Chosen: decision.HDE, Outcome: decision.Success, LatencyMillis: 12, hde: &hde}
	b.ReportAllocs()
	for b.Loop() {
		known := s.manager.known(&t, nil)
		p := s.manager.recorder.Begin(b.Context(), &known)
		s.manager.record(p, &known, &t, nil, &moved)
	}
}

// BenchmarkMigrate moves each payload twice, without telemetry and with it, in
// turns, and reports the ratio of both times, and of the CPU time of the whole
// process.
func BenchmarkMigrate(b *testing.B) {
	for name, payload := range map[string][]byte{"HDE": compressible(1 << 20), "AMST": random(1, 1<<20)} {
		b.Run(name, func(b *testing.B) {
			priors := newTestPriors(b)
			off, on := setup(b, nil, nil, slow), setup(b, nowhere(b, priors), priors, slow)
			var without, with cost
			for b.Loop() {
				t := off.migration(payload)
				without.add(func() { require.NoError(b, off.bare(b, &t, decision.Algorithm(name))) })
				t = on.migration(payload)
				with.add(func() {
					moved, err := on.manager.Migrate(b.Context(), t)
					require.NoError(b, err)
					require.Equal(b, decision.Algorithm(name), moved.Chosen)
				})
				on.manager.hde.Forget("vm-1") // HDE shall have its work each time
				on.host.Forget("vm-1")
			}
			b.ReportMetric(float64(without.wall)/float64(b.N), "off-ns/op")
			b.ReportMetric(float64(with.wall)/float64(b.N), "on-ns/op")
			b.ReportMetric(float64(with.wall)/float64(without.wall), "on/off")
			b.ReportMetric(float64(with.cpu)/float64(without.cpu), "cpu-on/off")
		})
	}
}

// bare is Migrate without telemetry: no measuring, no recording.
func (b *bundle) bare(t testing.TB, m *Migration, way decision.Algorithm) error {
	t.Helper()
	out := transfer{vm: m.VM, body: m.Payload}
	if way == decision.HDE {
		out = transfer{vm: m.VM, flags: flagHDE, body: b.manager.hde.Encode(nil, m.Route.LinkType(), m.Payload).Bytes}
	}
	err := m.Route.streams.Send(t.Context(), out)
	b.manager.hde.Commit(m.VM, m.Payload)
	b.manager.hde.Forget(m.VM)
	b.host.Forget(m.VM)
	return err
}

// cost adds up what runs take.
type cost struct{ wall, cpu time.Duration }

func (c *cost) add(run func()) {
	began, before := time.Now(), processCPU()
	run()
	c.wall, c.cpu = c.wall+time.Since(began), c.cpu+processCPU()-before
}

func processCPU() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
