package measure

import (
	"runtime"
	"sync"
	"time"

	"github.com/novacron/dwcp-telemetry/decision"
)

// stepsToTell is how many steps of its clock a run must last to be told: then
// the value is right to 10 %.
const stepsToTell = 10

// Run is what one run of an algorithm took.
type Run struct {
	// LatencyMillis is by the monotonic clock: no clock that is set changes it.
	// Missing where the run was shorter than ten steps of that clock.
	LatencyMillis decision.Opt[float64]
	// CPUUsage is CPU time over time × [CPUs], 0..100. Missing where the run was
	// shorter than ten steps of the CPU clock, or there is none.
	CPUUsage decision.Opt[float64]
}

// CPUs is what 100 % stands for: the logical CPUs that this process may use.
func CPUs() int { return runtime.NumCPU() }

// Stopwatch measures a run with all that the process does meanwhile: the way for
// a run of many goroutines, like AMST's streams. [Thread] is the way for one
// goroutine's own work.
type Stopwatch struct {
	started time.Time
	cpu     time.Duration
	hasCPU  bool
}

// Start starts a Stopwatch. What CPU time the process has until Stop is taken
// for the run's, whoever used it: other transfers, the garbage collector.
func Start() Stopwatch {
	measuredResolution()
	var s Stopwatch
	s.cpu, s.hasCPU = processCPU()
	s.started = time.Now()
	return s
}

// Stop returns what the run took so far. It may be called again later. A
// Stopwatch that was never started measures nothing.
func (s Stopwatch) Stop() Run {
	if s.started.IsZero() {
		return Run{}
	}
	wall := time.Since(s.started)
	cpu, ok := processCPU()
	clocks := measuredResolution()
	return newRun(wall, span{clocks.Wall, true}, cpu-s.cpu, span{clocks.ProcessCPU, ok && s.hasCPU})
}

// Thread runs work on the calling goroutine, locked to its thread, and returns
// what that thread alone took: exact, whatever else the process does. Goroutines
// that work starts are not counted; see [Threads].
func Thread(work func()) Run {
	clocks := measuredResolution()
	started := time.Now()
	cpu, ok := onThread(work)
	return newRun(time.Since(started), span{clocks.Wall, true}, cpu, span{clocks.ThreadCPU, ok})
}

// Threads runs each piece of work on a goroutine and thread of its own, waits for
// all, and returns the time until the last one was done and the CPU time of all
// together. A panic in one of them is not caught.
func Threads(works ...func()) Run {
	clocks := measuredResolution()
	var (
		wait sync.WaitGroup
		lock sync.Mutex
		sum  time.Duration
		all  = len(works) > 0
	)
	started := time.Now()
	for _, work := range works {
		wait.Go(func() {
			cpu, ok := onThread(work)
			lock.Lock()
			defer lock.Unlock()
			sum, all = sum+cpu, all && ok
		})
	}
	wait.Wait()
	return newRun(time.Since(started), span{clocks.Wall, true}, sum, span{clocks.ThreadCPU, all})
}

func onThread(work func()) (cpu time.Duration, ok bool) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before, ok := threadCPU()
	work()
	after, okAfter := threadCPU()
	return after - before, ok && okAfter
}

// span is the step of a clock, and whether there is one.
type span struct {
	step time.Duration
	ok   bool
}

func (s span) tells(d time.Duration) bool { return s.ok && d > 0 && d >= stepsToTell*s.step }

func newRun(wall time.Duration, wallClock span, cpu time.Duration, cpuClock span) Run {
	var r Run
	if wallClock.tells(wall) {
		r.LatencyMillis = decision.Some(millis(wall))
	}
	if r.LatencyMillis.Set && cpuClock.tells(wall) && cpu >= 0 {
		share := 100 * float64(cpu) / (float64(wall) * float64(CPUs()))
		r.CPUUsage = decision.Some(min(share, 100))
	}
	return r
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
