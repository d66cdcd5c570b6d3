package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/novacron/dwcp-telemetry/internal/collector"
)

// pipeline is a configuration of the collector to be measured.
type pipeline struct {
	overlays []string // files below deploy/
	yaml     string   // a further overlay, written for the run
	env      []string // further variables
	discards bool     // nothing is written
}

var (
	ackOnCommit  = pipeline{overlays: []string{"ack-on-commit.yaml"}}
	durableQueue = pipeline{}
	memoryQueue  = pipeline{yaml: `
exporters: {pgtelemetry: {sending_queue: {storage: null}}}
service: {extensions: [health_check]}
`}
	receivingOnly = pipeline{discards: true, yaml: `
exporters: {nop: {}}
service: {extensions: [health_check], pipelines: {logs: {processors: [memory_limiter], exporters: [nop]}}}
`}
)

// endToEnd sends rows to a collector and waits until all are committed.
func (b *bench) endToEnd(ctx context.Context, p pipeline, rows int) (*measured, error) {
	f, err := b.startFleet(ctx, p, 1)
	if err != nil {
		return nil, err
	}
	rows = rows / requestRecords * requestRecords
	before, err := usageOf(f.processes)
	if err != nil {
		return nil, errors.Join(err, f.stop())
	}
	m, err := b.sendAll(ctx, f, p, rows)
	if err != nil {
		return nil, errors.Join(err, f.stop())
	}
	after, err := usageOf(f.processes)
	m.cpu, m.peakBytes = (after.cpu-before.cpu)/time.Duration(rows), after.peakBytes
	return m, errors.Join(err, f.stop())
}

func (b *bench) sendAll(ctx context.Context, f *fleet, p pipeline, rows int) (*measured, error) {
	if p.discards {
		return b.timed(ctx, rows, func() error { return f.send(ctx, rows) })
	}
	return b.measure(ctx, rows, func() error {
		if err := f.send(ctx, rows); err != nil {
			return err
		}
		return b.waitReceived(ctx, rows)
	})
}

// fleet is collectors that run, and what is sent to them.
type fleet struct {
	processes []*collector.Process
	payloads  []*payload
}

func (b *bench) startFleet(ctx context.Context, p pipeline, collectors int) (f *fleet, err error) {
	f = &fleet{}
	if f.payloads, err = b.payloads(); err != nil {
		return nil, err
	}
	for range collectors {
		c, err := b.startCollector(ctx, p)
		if err != nil {
			return nil, errors.Join(err, f.stop())
		}
		f.processes = append(f.processes, c)
	}
	return f, nil
}

func (f *fleet) stop() (err error) {
	for _, c := range f.processes {
		err = errors.Join(err, c.Stop())
	}
	return err
}

func (b *bench) startCollector(ctx context.Context, p pipeline) (*collector.Process, error) {
	dir, err := os.MkdirTemp(b.dir, "collector-*")
	if err != nil {
		return nil, err
	}
	configs := []string{filepath.Join(b.root, "otelcol-config.yaml")}
	for _, overlay := range p.overlays {
		configs = append(configs, filepath.Join(b.root, "deploy", overlay))
	}
	if p.yaml != "" {
		path := filepath.Join(dir, "overlay.yaml")
		if err := os.WriteFile(path, []byte(p.yaml), 0o600); err != nil {
			return nil, err
		}
		configs = append(configs, path)
	}
	return collector.Start(ctx, collector.Options{
		Binary: b.collector, Configs: configs, Dir: dir, Flags: b.collectorFlags,
		Env: append([]string{"DWCP_DATABASE_URL=" + b.server.writerURL(), "DWCP_VM_ID_KEY=" + benchKey}, p.env...),
	})
}

// benchKey is nobody's key.
const benchKey = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

// waitReceived waits until the ledger has all rows: a queue acknowledges
// before.
func (b *bench) waitReceived(ctx context.Context, rows int) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	for {
		got, err := b.server.received(ctx)
		if err != nil {
			return err
		}
		if got >= rows {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d of %d decisions were committed: %w", got, rows, ctx.Err())
		case <-time.After(10 * time.Millisecond):
		}
	}
}
