package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/novacron/dwcp-telemetry/internal/collector"
)

// options are the flags.
type options struct {
	rows, rounds   int
	only, out      string
	recorder, long bool
	tiers          bool
	cost           bool
	collectorFlags []string

	// With long.
	sizes, partitions, collectors []int
	steady                        time.Duration
}

const defaultSteady = 10 * time.Minute

// numbers reads a list of numbers.
func numbers(list string, into *[]int) error {
	for text := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return fmt.Errorf("%q: must be numbers with commas between them", list)
		}
		*into = append(*into, n)
	}
	return nil
}

// run measures and writes the results.
func run(ctx context.Context, o options) error {
	b, err := newBench(ctx, o)
	if err != nil {
		return err
	}
	report, err := b.results(ctx, o)
	if err := errors.Join(err, b.close()); err != nil {
		return err
	}
	switch {
	case o.only != "":
		_, err = os.Stdout.WriteString(report)
		return err
	case o.out == "" && o.cost:
		o.out = b.costPath()
	case o.out == "" && o.long:
		o.out = filepath.Join(b.root, "bench", "RESULTS-long.md")
	case o.out == "" && o.tiers:
		o.out = filepath.Join(b.root, "bench", "RESULTS-tiers.md")
	case o.out == "":
		o.out = filepath.Join(b.root, "bench", "RESULTS.md")
	}
	return os.WriteFile(o.out, []byte(report), 0o644) //nolint:gosec // is committed
}

func (b *bench) results(ctx context.Context, o options) (string, error) {
	switch {
	case o.cost:
		return b.costFile(ctx, o)
	case o.long:
		return b.longReport(ctx, o)
	case o.tiers:
		return b.tierReport(ctx, o)
	}
	return b.shortReport(ctx, o)
}

// newBench builds the collector and starts PostgreSQL.
func newBench(ctx context.Context, o options) (b *bench, err error) {
	b = &bench{rows: o.rows / batchRows * batchRows, collectorFlags: o.collectorFlags}
	if b.root, err = collector.Root(); err != nil {
		return nil, err
	}
	if b.collector, err = collector.Build(ctx, b.root); err != nil {
		return nil, err
	}
	if b.others, err = busyShare(); err != nil {
		return nil, err
	}
	if b.source, err = newSource(); err != nil {
		return nil, err
	}
	if b.dir, err = os.MkdirTemp("", "dwcp-bench-*"); err != nil {
		return nil, err
	}
	if b.server, err = startServer(ctx); err != nil {
		return nil, errors.Join(err, os.RemoveAll(b.dir))
	}
	return b, nil
}

func (b *bench) close() error { return errors.Join(b.server.stop(), os.RemoveAll(b.dir)) }
