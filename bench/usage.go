package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/novacron/dwcp-telemetry/internal/collector"
)

// usage is what processes have taken of the machine so far.
type usage struct {
	cpu       time.Duration // user and system
	peakBytes int64         // of the largest, resident
}

// ticks is USER_HZ, which is 100 on every Linux.
const ticks = 100

func usageOf(processes []*collector.Process) (sum usage, err error) {
	for _, p := range processes {
		cpu, err := cpuOf(p.PID())
		if err != nil {
			return sum, err
		}
		peak, err := statusBytes(p.PID(), "VmHWM")
		if err != nil {
			return sum, err
		}
		sum.cpu += cpu
		sum.peakBytes = max(sum.peakBytes, peak)
	}
	return sum, nil
}

// cpuOf reads utime and stime of /proc/PID/stat, fields 14 and 15; the name of
// the program, field 2, may hold spaces.
func cpuOf(pid int) (time.Duration, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(data[strings.LastIndexByte(string(data), ')')+1:]))
	if len(fields) < 13 {
		return 0, errors.New("read /proc/PID/stat: too few fields")
	}
	user, errUser := strconv.ParseInt(fields[11], 10, 64)
	system, errSystem := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * time.Second / ticks, errors.Join(errUser, errSystem)
}

// childrenCPU is what the children of a process have taken that still live: of
// the postmaster, the backends and those who write for them.
func childrenCPU(parent int) (sum time.Duration, err error) {
	processes, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return 0, err
	}
	for _, path := range processes {
		data, err := os.ReadFile(filepath.Join(path, "stat"))
		if err != nil {
			continue // has just ended
		}
		fields := strings.Fields(string(data[strings.LastIndexByte(string(data), ')')+1:]))
		if len(fields) < 2 || fields[1] != strconv.Itoa(parent) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(path))
		if err != nil {
			return 0, err
		}
		if cpu, err := cpuOf(pid); err == nil {
			sum += cpu
		}
	}
	return sum, nil
}

// statusBytes reads a size in kB from /proc/PID/status.
func statusBytes(pid int, key string) (int64, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(data)) {
		if value, found := strings.CutPrefix(line, key+":"); found {
			kilobytes, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
			return kilobytes << 10, err
		}
	}
	return 0, fmt.Errorf("read /proc/PID/status: no %s", key)
}
