package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

func joinStop(err error, f *fleet) error { return errors.Join(err, f.stop()) }

// steadyMemory writes at full speed for a while and looks at the collector's
// memory each second. The table is emptied in between: its growth is bySize's.
func (b *bench) steadyMemory(ctx context.Context, o options) (text string, err error) {
	report := &strings.Builder{}
	fmt.Fprintf(report, "\n## Memory of the collector at full speed, over %s\n\nResident, MiB, the highest of each tenth of the time. Of the durable queue that includes its file as far as it is mapped: page cache,\nwhich the kernel takes back when it needs memory (RssFile in /proc/PID/status; RssAnon is the collector's own).\n\n| way | rows | tenths |\n|---|---|---|\n", o.steady)
	for _, w := range []struct {
		name string
		pipeline
	}{{"acknowledged on commit", ackOnCommit}, {"durable queue", durableQueue}} {
		tenths, rows, err := b.watchMemory(ctx, w.pipeline, o.steady)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(report, "| %s | %d | %s |\n", w.name, rows, strings.Trim(fmt.Sprint(tenths), "[]"))
	}
	return report.String(), nil
}

func (b *bench) watchMemory(ctx context.Context, p pipeline, lasting time.Duration) (tenths []int64, rows int, err error) {
	if err := b.server.empty(ctx); err != nil {
		return nil, 0, err
	}
	f, err := b.startFleet(ctx, p, 1)
	if err != nil {
		return nil, 0, err
	}
	defer func() { err = joinStop(err, f) }()
	watching, stop := context.WithCancel(ctx)
	defer stop()
	seen := make(chan []int64, 1)
	go func() { seen <- residentEachSecond(watching, f.processes[0].PID()) }()
	for begin := time.Now(); time.Since(begin) < lasting; {
		if err := f.send(ctx, b.rows); err != nil {
			return nil, 0, err
		}
		rows += b.rows
		if rows%(20*b.rows) == 0 {
			if err := b.server.empty(ctx); err != nil {
				return nil, 0, err
			}
		}
	}
	stop()
	samples := <-seen
	for part := range slices.Chunk(samples, max(len(samples)/10, 1)) {
		tenths = append(tenths, slices.Max(part)>>20)
	}
	return tenths, rows, nil
}

func residentEachSecond(ctx context.Context, pid int) (samples []int64) {
	for {
		select {
		case <-ctx.Done():
			return samples
		case <-time.After(time.Second):
			if bytes, err := statusBytes(pid, "VmRSS"); err == nil {
				samples = append(samples, bytes)
			}
		}
	}
}
