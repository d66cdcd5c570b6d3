package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/novacron/dwcp-telemetry/internal/collector"
)

var gateway = pipeline{overlays: []string{"gateway.yaml"}}

// agentOf sends to a gateway's address, with its messages compressed like that.
func agentOf(address, compression string) pipeline {
	return pipeline{
		overlays: []string{"agent.yaml"}, yaml: "exporters: {otlp_grpc/gateways: {compression: " + compression + "}}\n",
		env: []string{"DWCP_GATEWAYS=" + address, "DWCP_GATEWAY_INSECURE=true"},
	}
}

// tierTurn is one turn through an agent and a gateway.
type tierTurn struct {
	perSecond      float64
	agent, gateway time.Duration // CPU a row
	wire           float64       // bytes a row
	peakBytes      int64         // of the agent, resident
}

// tierReport is bench/RESULTS-tiers.md.
func (b *bench) tierReport(ctx context.Context, o options) (string, error) {
	machine, err := b.machine(ctx)
	if err != nil {
		return "", err
	}
	report := &strings.Builder{}
	fmt.Fprintf(report, "# What a decision costs on its way through an agent and a gateway\n\nWritten by `make bench-tiers`: %d decisions a turn, %d rounds, medians; one agent, one gateway.\n\n%s", b.rows, o.rounds, machine)
	report.WriteString("\n| between them | rows/s | agent's CPU, µs/row | gateway's CPU, µs/row | bytes on the wire a row |\n|---|---|---|---|---|\n")
	turns := map[string][]tierTurn{}
	compressions := []string{"none", "snappy", "zstd", "gzip"}
	for range o.rounds {
		for _, compression := range compressions {
			turn, err := b.throughTiers(ctx, compression)
			if err != nil {
				return "", fmt.Errorf("compression %s: %w", compression, err)
			}
			turns[compression] = append(turns[compression], turn)
			fmt.Fprintf(os.Stderr, "%s %+v\n", compression, turn)
		}
	}
	for _, compression := range compressions {
		t := turns[compression]
		fmt.Fprintf(report, "| %s | %s | %.1f | %.1f | %.0f |\n", compression, thousands(medianOf(t, func(t tierTurn) float64 { return t.perSecond })),
			medianOf(t, func(t tierTurn) time.Duration { return t.agent }).Seconds()*1e6,
			medianOf(t, func(t tierTurn) time.Duration { return t.gateway }).Seconds()*1e6,
			medianOf(t, func(t tierTurn) float64 { return t.wire }))
	}
	direct, err := b.direct(ctx, o)
	if err != nil {
		return "", err
	}
	report.WriteString(direct)
	disk, request, err := b.agentsDisk(ctx)
	if err != nil {
		return "", err
	}
	fmt.Fprintf(report, "\nA decision comes to the agent in %d bytes (requests of %d, no compression) and takes %d bytes of its queue's file.\n", request, requestRecords, disk)
	return report.String(), nil
}

// throughTiers sends rows to an agent and waits until its gateway has committed them.
func (b *bench) throughTiers(ctx context.Context, compression string) (turn tierTurn, err error) {
	behind, err := b.startFleet(ctx, gateway, 1)
	if err != nil {
		return turn, err
	}
	defer func() { err = joinStop(err, behind) }()
	w, err := newWire(ctx, behind.processes[0].GRPC)
	if err != nil {
		return turn, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	f, err := b.startFleet(ctx, agentOf(w.address(), compression), 1)
	if err != nil {
		return turn, err
	}
	defer func() { err = joinStop(err, f) }()

	rows := b.rows / requestRecords * requestRecords
	cpu := func(processes []*collector.Process) time.Duration {
		used, problem := usageOf(processes)
		err = errors.Join(err, problem)
		return used.cpu
	}
	agent, behindBefore, wire := cpu(f.processes), cpu(behind.processes), w.bytes.Load()
	m, err := b.sendAll(ctx, f, pipeline{}, rows)
	if err != nil {
		return turn, err
	}
	after, err := usageOf(f.processes)
	if err != nil {
		return turn, err
	}
	return tierTurn{
		peakBytes: after.peakBytes,
		perSecond: m.perSecond(),
		agent:     (after.cpu - agent) / time.Duration(rows),
		gateway:   (cpu(behind.processes) - behindBefore) / time.Duration(rows),
		wire:      float64(w.bytes.Load()-wire) / float64(rows),
	}, err
}

// direct is what the same rows cost without an agent, in the same run.
func (b *bench) direct(ctx context.Context, o options) (string, error) {
	report := &strings.Builder{}
	report.WriteString("\n| without an agent | rows/s | collector's CPU, µs/row |\n|---|---|---|\n")
	for _, w := range []struct {
		name string
		p    pipeline
	}{{"durable queue", durableQueue}, {"acknowledged on commit", ackOnCommit}} {
		var turns []*measured
		for range o.rounds {
			m, err := b.endToEnd(ctx, w.p, b.rows)
			if err != nil {
				return "", err
			}
			turns = append(turns, m)
		}
		fmt.Fprintf(report, "| %s | %s | %.1f |\n", w.name, thousands(medianOf(turns, (*measured).perSecond)),
			medianOf(turns, func(m *measured) time.Duration { return m.cpu }).Seconds()*1e6)
	}
	return report.String(), nil
}

// agentsDisk is how many bytes a decision takes of the queue's file, while there
// is no gateway, and of the request that it came in.
func (b *bench) agentsDisk(ctx context.Context) (disk, request int, err error) {
	bytes, err := b.waiting(ctx, agentOf("127.0.0.1:1", "none"))
	if err != nil {
		return 0, 0, err
	}
	p, err := newPayload(b.source.fork(), requestRecords)
	if err != nil {
		return 0, 0, err
	}
	return int(bytes), len(p.bytes) / requestRecords, nil
}
