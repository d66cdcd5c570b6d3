//go:build linux || darwin

package measure

import (
	"time"

	"golang.org/x/sys/unix"
)

// processCPU is the time this process has had on all CPUs.
func processCPU() (time.Duration, bool) { return cpuClock(unix.CLOCK_PROCESS_CPUTIME_ID) }

// threadCPU is the time the calling thread has had.
func threadCPU() (time.Duration, bool) { return cpuClock(unix.CLOCK_THREAD_CPUTIME_ID) }

func cpuClock(clock int32) (time.Duration, bool) {
	var t unix.Timespec
	if err := unix.ClockGettime(clock, &t); err != nil {
		return 0, false
	}
	return time.Duration(t.Nano()), true
}
