package measure

import (
	"sync"
	"time"
)

// ClockResolution is the smallest step that each clock was seen to make, the
// cost of reading it included. Zero: there is no such clock here.
type ClockResolution struct {
	Wall, ProcessCPU, ThreadCPU time.Duration
}

// Resolution measures the clocks at its first call, which the first run makes
// at the latest. That takes microseconds where clocks are fine, 20 ms for
// each that is not (Windows).
func Resolution() ClockResolution { return measuredResolution() }

var measuredResolution = sync.OnceValue(func() ClockResolution {
	origin := time.Now()
	return ClockResolution{
		Wall:       smallestStep(func() (time.Duration, bool) { return time.Since(origin), true }),
		ProcessCPU: smallestStep(processCPU),
		ThreadCPU:  smallestStep(threadCPU),
	}
})

const (
	stepsToSee  = 16
	stepsPeriod = 20 * time.Millisecond // more than the coarsest timer's step
)

// smallestStep reads a clock until it has been seen to advance often enough.
// Where it never does within the period, the period is what can be said.
func smallestStep(read func() (time.Duration, bool)) time.Duration {
	before, ok := read()
	if !ok {
		return 0
	}
	smallest, seen, began := stepsPeriod, 0, time.Now()
	for seen < stepsToSee && time.Since(began) < stepsPeriod {
		now, ok := read()
		if !ok {
			return 0
		}
		if step := now - before; step > 0 {
			smallest = min(smallest, step)
			seen++
		}
		before = now
	}
	return smallest
}
