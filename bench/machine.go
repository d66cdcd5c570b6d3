package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// machine names what was measured on, by what matters and not by name.
func (b *bench) machine(ctx context.Context) (string, error) {
	var version, now string
	err := b.server.admin.QueryRow(ctx, "SELECT current_setting('server_version'), to_char(now(), 'YYYY-MM-DD')").Scan(&version, &now)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s, %d cores with sender, collector and PostgreSQL on them, %d GiB; PostgreSQL %s; %s; %s. Others took %.0f %% of the machine before it began.\n",
		procValue("/proc/cpuinfo", "model name"), runtime.NumCPU(), memoryGiB(), version, runtime.Version(), now, 100*b.others), nil
}

func procValue(path, key string) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(data)) {
		name, value, _ := strings.Cut(line, ":")
		if strings.TrimSpace(name) == key {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

func memoryGiB() int {
	kilobytes, _ := strconv.Atoi(strings.TrimSuffix(procValue("/proc/meminfo", "MemTotal"), " kB"))
	return (kilobytes + 1<<19) >> 20
}

// busyShare is how much of the machine's CPU is in use, of a second. What others
// take, ways of writing cannot have: the figures are as good as this one is low.
func busyShare() (float64, error) {
	busyBefore, allBefore, err := cpuTicks()
	if err != nil {
		return 0, err
	}
	time.Sleep(time.Second)
	busy, all, err := cpuTicks()
	return float64(busy-busyBefore) / float64(max(all-allBefore, 1)), err
}

// cpuTicks reads the first line of /proc/stat: idle is the fourth number, waiting
// for the disk the fifth.
func cpuTicks() (busy, all int, err error) {
	data, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0, err
	}
	line, _, _ := strings.Cut(string(data), "\n")
	for i, text := range strings.Fields(line)[1:] {
		n, err := strconv.Atoi(text)
		if err != nil {
			return 0, 0, err
		}
		all += n
		if i != 3 && i != 4 {
			busy += n
		}
	}
	return busy, all, nil
}
