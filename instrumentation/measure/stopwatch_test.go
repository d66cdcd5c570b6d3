package measure

import (
	"math"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
)

const step = 100 * time.Nanosecond

var (
	fine = span{step, true}
	none = span{}
)

func TestShareIsOfAllCPUs(t *testing.T) {
	t.Parallel()
	cpus := time.Duration(CPUs())
	for name, c := range map[string]struct {
		wall      time.Duration
		wallClock span
		cpu       time.Duration
		cpuClock  span
		latency   decision.Opt[float64]
		share     decision.Opt[float64]
	}{
		"one CPU of all":              {8 * time.Millisecond, fine, 8 * time.Millisecond, fine, decision.Some(8.0), decision.Some(100 / float64(cpus))},
		"all of them":                 {8 * time.Millisecond, fine, 8 * time.Millisecond * cpus, fine, decision.Some(8.0), decision.Some(100.0)},
		"none":                        {8 * time.Millisecond, fine, 0, fine, decision.Some(8.0), decision.Some(0.0)},
		"more than there are":         {8 * time.Millisecond, fine, 9 * time.Millisecond * cpus, fine, decision.Some(8.0), decision.Some(100.0)},
		"a CPU clock that went back":  {8 * time.Millisecond, fine, -1, fine, decision.Some(8.0), decision.Opt[float64]{}},
		"no CPU clock":                {8 * time.Millisecond, fine, 0, none, decision.Some(8.0), decision.Opt[float64]{}},
		"ten steps":                   {10 * step, fine, 0, fine, decision.Some(0.001), decision.Some(0.0)},
		"nine steps":                  {9 * step, fine, 0, fine, decision.Opt[float64]{}, decision.Opt[float64]{}},
		"too short for the CPU clock": {time.Millisecond, fine, 0, span{15 * time.Millisecond, true}, decision.Some(1.0), decision.Opt[float64]{}},
		"no time":                     {0, span{0, true}, 0, span{0, true}, decision.Opt[float64]{}, decision.Opt[float64]{}},
		"time went back":              {-time.Second, fine, 0, fine, decision.Opt[float64]{}, decision.Opt[float64]{}},
	} {
		got := newRun(c.wall, c.wallClock, c.cpu, c.cpuClock)
		assert.Equal(t, c.latency.Set, got.LatencyMillis.Set, name)
		assert.InDelta(t, c.latency.Value, got.LatencyMillis.Value, 1e-12, name)
		assert.Equal(t, c.share.Set, got.CPUUsage.Set, name)
		assert.InDelta(t, c.share.Value, got.CPUUsage.Value, 1e-9, name)
	}
}

// burn works until this thread has had that much CPU time, and returns how much
// in ms it has really had.
func burn(t *testing.T, d time.Duration) float64 {
	t.Helper()
	started, ok := threadCPU()
	assert.True(t, ok)
	now := started
	for now-started < d {
		runtime.KeepAlive(mix(uint64(now)))
		now, _ = threadCPU()
	}
	return millis(now - started)
}

// cpuMillis is the CPU time a run's share stands for.
func cpuMillis(t *testing.T, r Run) float64 {
	t.Helper()
	require.True(t, r.LatencyMillis.Set)
	require.True(t, r.CPUUsage.Set)
	assert.LessOrEqual(t, r.CPUUsage.Value, 100.0)
	return r.CPUUsage.Value / 100 * r.LatencyMillis.Value * float64(CPUs())
}

func TestThreadCountsItsOwnWorkAndNoOther(t *testing.T) {
	t.Parallel()
	skipWithoutThreadClock(t)
	var stop atomic.Bool
	done := make(chan struct{})
	go func() { // another transfer in the same process
		defer close(done)
		for !stop.Load() {
			runtime.KeepAlive(mix(1))
		}
	}()
	watch := Start()
	var burned float64
	run := Thread(func() { burned = burn(t, 20*time.Millisecond) })
	all := watch.Stop()
	asleep := Thread(func() { time.Sleep(20 * time.Millisecond) })
	stop.Store(true)
	<-done

	assert.GreaterOrEqual(t, burned, 20.0)
	assert.InDelta(t, burned, cpuMillis(t, run), 5)
	assert.Less(t, cpuMillis(t, asleep), 10.0, "waiting costs nothing, whatever the others do")
	assert.GreaterOrEqual(t, cpuMillis(t, all), 20.0, "the process's share holds the thread's")
}

func TestThreadsAddUp(t *testing.T) {
	t.Parallel()
	skipWithoutThreadClock(t)
	var burned [3]float64
	var works []func()
	for i := range burned {
		works = append(works, func() { burned[i] = burn(t, 10*time.Millisecond) })
	}
	run := Threads(works...)
	assert.GreaterOrEqual(t, burned[0]+burned[1]+burned[2], 30.0)
	assert.InDelta(t, burned[0]+burned[1]+burned[2], cpuMillis(t, run), 10)
	assert.Equal(t, Run{}.CPUUsage, Threads().CPUUsage, "no work, no share")
}

// skipWithoutThreadClock passes on Windows, where Thread has no share to give.
func skipWithoutThreadClock(t *testing.T) {
	t.Helper()
	if _, ok := threadCPU(); !ok {
		t.Skip("no CPU clock of a thread on this system")
	}
}

func TestThreadUnlocksEvenIfTheWorkPanics(t *testing.T) {
	t.Parallel()
	assert.Panics(t, func() { Thread(func() { panic("compressing") }) })
	run := Thread(func() { time.Sleep(5 * time.Millisecond) })
	assert.True(t, run.LatencyMillis.Set)
}

func TestLatencyIsTheTimeBetween(t *testing.T) {
	t.Parallel()
	watch := Start()
	before := time.Now()
	time.Sleep(10 * time.Millisecond)
	atLeast := millis(time.Since(before))
	first := watch.Stop()
	atMost := millis(time.Since(watch.started))
	assert.GreaterOrEqual(t, first.LatencyMillis.Value, atLeast)
	assert.LessOrEqual(t, first.LatencyMillis.Value, atMost)
	assert.Greater(t, watch.Stop().LatencyMillis.Value, first.LatencyMillis.Value, "it may be stopped again")
}

func TestStopwatchThatNeverStartedMeasuresNothing(t *testing.T) {
	t.Parallel()
	assert.Equal(t, Run{}, Stopwatch{}.Stop())
}

func TestClocksHereAreFineEnough(t *testing.T) {
	t.Parallel()
	got := Resolution()
	assert.Positive(t, got.Wall)
	assert.Positive(t, got.ProcessCPU)
	assert.LessOrEqual(t, max(got.Wall, got.ProcessCPU, got.ThreadCPU), stepsPeriod)
	t.Logf("%+v", got)
}

func TestResolutionIsTheSmallestStepSeen(t *testing.T) {
	t.Parallel()
	now, reads := time.Duration(0), 0
	coarse := func() (time.Duration, bool) { // a step of 5 at every third reading
		if reads++; reads%3 == 0 {
			now += 5
		}
		return now, true
	}
	assert.Equal(t, time.Duration(5), smallestStep(coarse))
	assert.Equal(t, stepsPeriod, smallestStep(func() (time.Duration, bool) { return 7, true }), "a clock that stands")
	assert.Zero(t, smallestStep(func() (time.Duration, bool) { return 0, false }), "no clock")
}

func TestRunsFillTheirFields(t *testing.T) {
	t.Parallel()
	run := Run{LatencyMillis: decision.Some(20.0), CPUUsage: decision.Some(12.5)}
	var d, want decision.Decision
	run.FillHDE(&d, decision.Shadow, 1000, 250)
	run.FillAMST(&d, decision.Measured, 1_000_000)
	run.FillActual(&d, decision.AMST, 1_000_000)
	want.HDELatencyMillis, want.HDECPUUsage, want.HDECompressionRatio = run.LatencyMillis, run.CPUUsage, decision.Some(4.0)
	want.HDESource = decision.Some(decision.Shadow)
	want.AMSTLatencyMillis, want.AMSTCPUUsage, want.AMSTTransferRateMbps = run.LatencyMillis, run.CPUUsage, decision.Some(400.0)
	want.AMSTSource = decision.Some(decision.Measured)
	want.ActualAlgorithm, want.ActualLatencyMillis, want.ActualThroughputMbps = decision.Some(decision.AMST), run.LatencyMillis, decision.Some(400.0)
	assert.Equal(t, want, d)
}

func TestWhatCannotBeToldIsMissing(t *testing.T) {
	t.Parallel()
	var d decision.Decision
	Run{}.FillAMST(&d, decision.Measured, 1000)
	Run{}.FillActual(&d, decision.AMST, 1000)
	Run{}.FillHDE(&d, decision.Shadow, 1000, 0)
	for _, column := range []string{"hde_compression_ratio", "hde_latency_ms", "hde_cpu_usage", "amst_transfer_rate_mbps", "amst_latency_ms",
		"amst_cpu_usage", "actual_latency_ms", "actual_throughput_mbps"} {
		_, set := decision.Column(column).Value(&d)
		assert.False(t, set, column)
	}
	run := Run{LatencyMillis: decision.Some(5.0)}
	for _, sizes := range [][2]int64{{0, 5}, {5, 0}, {-1, 5}, {5, math.MinInt64}} {
		run.FillHDE(&d, decision.Shadow, sizes[0], sizes[1])
		assert.False(t, d.HDECompressionRatio.Set, sizes)
	}
	assert.False(t, run.RateMbps(0).Set)
	assert.False(t, run.RateMbps(-5).Set)
}

func BenchmarkStopwatch(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		runtime.KeepAlive(Start().Stop())
	}
}

func BenchmarkThread(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		runtime.KeepAlive(Thread(func() {}))
	}
}
