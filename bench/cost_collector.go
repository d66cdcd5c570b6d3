package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/novacron/dwcp-telemetry/internal/capacity"
)

func (b *bench) costOfReceiving(ctx context.Context, c costs) error {
	m, err := b.endToEnd(ctx, receivingOnly, b.rows)
	if err == nil {
		c.add(capacity.ReceiveCPU, micros64(m.cpu))
	}
	return err
}

func (b *bench) costOfDurableQueue(ctx context.Context, c costs) error {
	m, err := b.endToEnd(ctx, durableQueue, b.rows)
	if err == nil {
		c.add(capacity.DurableCPU, micros64(m.cpu))
		c.add(capacity.DurableMemory, mebibytes(m.peakBytes))
	}
	return err
}

func mebibytes(bytes int64) float64 { return float64(bytes) / (1 << 20) }

// costOfAgent sends to an agent, which sends to a gateway as deploy/agent.yaml has it.
func (b *bench) costOfAgent(ctx context.Context, c costs) error {
	turn, err := b.throughTiers(ctx, "zstd")
	if err == nil {
		c.add(capacity.AgentCPU, micros64(turn.agent))
		c.add(capacity.GatewayCPU, micros64(turn.gateway))
		c.add(capacity.AgentMemory, mebibytes(turn.peakBytes))
	}
	return err
}

// costOfWaiting fills queues whose end nobody answers at.
func (b *bench) costOfWaiting(ctx context.Context, c costs) error {
	for _, q := range []struct {
		figure capacity.Figure
		pipeline
	}{
		{capacity.QueueBytes, pipeline{yaml: "exporters: {pgtelemetry: {dsn: 'host=/nowhere dbname=none'}}\n"}},
		{capacity.AgentQueue, agentOf("127.0.0.1:1", "zstd")},
	} {
		bytes, err := b.waiting(ctx, q.pipeline)
		if err != nil {
			return err
		}
		c.add(q.figure, bytes)
	}
	return nil
}

// waiting is what a decision takes in the queue's folder.
func (b *bench) waiting(ctx context.Context, p pipeline) (bytes float64, err error) {
	before, err := queueFolders(b.dir)
	if err != nil {
		return 0, err
	}
	f, err := b.startFleet(ctx, p, 1)
	if err != nil {
		return 0, err
	}
	rows := b.rows / requestRecords * requestRecords
	if err := f.send(ctx, rows); err != nil {
		return 0, errors.Join(err, f.stop())
	}
	after, err := queueFolders(b.dir)
	if err != nil {
		return 0, errors.Join(err, f.stop())
	}
	// What waits would be sent for as long as a stop lets it.
	err = errors.Join(f.processes[0].Signal(syscall.SIGKILL), waitExit(ctx, f))
	return float64(after-before) / float64(rows), err
}

func waitExit(ctx context.Context, f *fleet) error {
	for _, p := range f.processes {
		select {
		case <-p.Exited():
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// queueFolders is what all queues below dir take on disk: blocks, for the files
// have holes.
func queueFolders(dir string) (bytes int64, err error) {
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Base(filepath.Dir(path)) != "queue" {
			return err
		}
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		if stat, ok := info.Sys().(*syscall.Stat_t); ok {
			bytes += stat.Blocks * 512
		}
		return nil
	})
	return bytes, err
}

// smallBatches is how many are sent, one after the other: as few as a test's
// turn has rows.
func (b *bench) smallBatches() int { return min(500, b.rows/100) }

// atOnceOverlay has each request committed by itself.
const atOnceOverlay = "exporters: {pgtelemetry: {sending_queue: {batch: {flush_timeout: 1ms, min_size: 1}}}}\n"

// costOfBatch is what a batch costs, however little is in it.
func (b *bench) costOfBatch(ctx context.Context, c costs) error {
	o, err := b.observeBatches(ctx, 1)
	if err != nil {
		return err
	}
	batches := float64(b.smallBatches())
	c.add(capacity.CollectorBatch, micros64(o.collector)/batches)
	c.add(capacity.PostgresBatch, micros64(o.server)/batches)
	c.add(capacity.WALBatchBytes, float64(o.wal-o.fullPages)/batches)
	var ledger float64
	err = b.server.admin.QueryRow(ctx, "SELECT pg_total_relation_size('compression_telemetry_batches')::float8 / count(*) FROM compression_telemetry_batches").Scan(&ledger)
	c.add(capacity.LedgerBytes, ledger)
	return err
}

// checkOfBatches writes batches of a size that no figure was made of.
func (b *bench) checkOfBatches(ctx context.Context, c costs) error {
	rows := float64(b.smallBatches() * capacity.CheckedBatch)
	o, err := b.observeBatches(ctx, capacity.CheckedBatch)
	if err != nil {
		return err
	}
	c.add(capacity.CheckCollector, micros64(o.collector)/rows)
	c.add(capacity.CheckPostgres, micros64(o.server)/rows)
	c.add(capacity.CheckWAL, float64(o.wal-o.fullPages)/rows)
	return nil
}

// observeBatches writes small batches of so many rows into the empty table.
func (b *bench) observeBatches(ctx context.Context, rows int) (o observation, err error) {
	p := ackOnCommit
	p.yaml = atOnceOverlay
	f, err := b.startFleet(ctx, p, 1)
	if err != nil {
		return o, err
	}
	defer func() { err = joinStop(err, f) }()
	s := b.source.fork()
	payloads := make([]*payload, b.smallBatches())
	for i := range payloads {
		if payloads[i], err = newPayload(s, rows); err != nil {
			return o, err
		}
	}
	if err := b.server.empty(ctx); err != nil {
		return o, err
	}
	return b.observed(ctx, f, len(payloads)*rows, func() error { return f.sendEach(ctx, payloads) })
}

// sendEach sends requests one after the other.
func (f *fleet) sendEach(ctx context.Context, payloads []*payload) error {
	conn, err := dial(f.processes[0].GRPC)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	for _, p := range payloads {
		if err := exportRequest(ctx, conn, slices.Clone(p.bytes)); err != nil {
			return err
		}
	}
	return nil
}

// checkOfTwo has two collectors write at once.
func (b *bench) checkOfTwo(ctx context.Context, c costs) error {
	if err := b.server.empty(ctx); err != nil {
		return err
	}
	o, rows, err := b.observeFull(ctx, 2)
	if err != nil {
		return err
	}
	c.add(capacity.TwoRate, rows/o.took.Seconds())
	c.add(capacity.TwoCores, o.cores)
	c.add(capacity.TwoCollectors, micros64(o.collector)/rows)
	c.add(capacity.TwoPostgres, micros64(o.server)/rows)
	return nil
}
