package instrumentation

import (
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// cpuTime is what this process has had so far, garbage collection included.
func cpuTime(tb testing.TB) time.Duration {
	tb.Helper()
	var started, ended, kernel, user syscall.Filetime
	self, err := syscall.GetCurrentProcess()
	require.NoError(tb, err)
	require.NoError(tb, syscall.GetProcessTimes(self, &started, &ended, &kernel, &user))
	return inUnits(kernel) + inUnits(user)
}

// inUnits reads a duration, which Windows counts in units of 100 ns.
func inUnits(t syscall.Filetime) time.Duration {
	return time.Duration(int64(t.HighDateTime)<<32+int64(t.LowDateTime)) * 100
}
