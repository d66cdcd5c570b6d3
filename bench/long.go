package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"
)

// longReport is bench/RESULTS-long.md: does it stay as fast as it is when the
// table grows, and as small when it runs for long?
func (b *bench) longReport(ctx context.Context, o options) (string, error) {
	report := &strings.Builder{}
	machine, err := b.machine(ctx)
	if err != nil {
		return "", err
	}
	fmt.Fprintf(report, "# Large tables, many partitions, several collectors, hours\n\nWritten by `make bench-long`; acknowledged on commit, end to end, %d rows a turn.\n\n%s", b.rows, machine)
	for _, part := range []func(context.Context, options) (string, error){b.bySize, b.byPartitions, b.byCollectors, b.steadyMemory} {
		text, err := part(ctx, o)
		if err != nil {
			return "", err
		}
		report.WriteString(text)
		fmt.Fprint(os.Stderr, text)
	}
	return report.String(), nil
}

// bySize fills this month's partition step by step.
func (b *bench) bySize(ctx context.Context, o options) (string, error) {
	if err := b.server.empty(ctx); err != nil {
		return "", err
	}
	report := &strings.Builder{}
	report.WriteString("\n## By the rows that the partition holds before\n\n| rows | size with indexes, GiB | PostgreSQL's CPU, µs/row | rows/s | of the first |\n|---|---|---|---|---|\n")
	first, filled := 0.0, 0
	for _, size := range o.sizes {
		if err := b.fill(ctx, size-filled); err != nil {
			return "", err
		}
		filled = max(size, filled)
		var bytes int64
		if err := b.server.admin.QueryRow(ctx, "SELECT sum(pg_total_relation_size(inhrelid))::bigint FROM pg_inherits WHERE inhparent = 'compression_telemetry'::regclass").Scan(&bytes); err != nil {
			return "", err
		}
		perSecond, cpu, err := b.medianAppended(ctx, o.rounds, 1)
		if err != nil {
			return "", err
		}
		if first == 0 {
			first = perSecond
		}
		fmt.Fprintf(report, "| %d | %.1f | %.1f | %s | %.2f |\n", size, float64(bytes)/(1<<30), cpu.Seconds()*1e6, thousands(perSecond), perSecond/first)
	}
	return report.String(), nil
}

// fillStep is how many rows one INSERT makes; the times lie in the hours before.
const fillStep = 1_000_000

func (b *bench) fill(ctx context.Context, rows int) error {
	for rows > 0 {
		step := min(rows, fillStep)
		if _, err := b.server.admin.Exec(ctx, fillRows, step, vms); err != nil {
			return fmt.Errorf("fill the partition: %w", err)
		}
		rows -= step
	}
	_, err := b.server.admin.Exec(ctx, "CHECKPOINT")
	return err
}

// fillRows makes rows as wide as real ones.
const fillRows = `INSERT INTO compression_telemetry (timestamp, vm_id, request_id, session_id, link_type, region, network_tier,
    bandwidth_available_mbps, bandwidth_utilization, rtt_ms, payload_size, payload_type, entropy_estimate, repetition_score, has_baseline,
    hde_compression_ratio, hde_delta_hit_rate, hde_latency_ms, hde_cpu_usage, amst_stream_count, amst_transfer_rate_mbps, amst_latency_ms, amst_cpu_usage,
    oracle_algorithm, oracle_utility_score, oracle_computation_time_ms, actual_algorithm, actual_latency_ms, actual_throughput_mbps,
    is_training_candidate, quality_score, event_id, environment, emitter_version, recorder_id, recorder_sequence, vm_key_id, oracle_other_utility, oracle_version)
SELECT now() - n * interval '1 ms', encode(sha256((n::bigint * 7919 % $2)::text::bytea), 'hex'), gen_random_uuid()::text, 'run-' || n / 100,
    (ARRAY['dc', 'metro', 'wan', 'edge'])[1 + n % 4], 'region-' || n % 6, 1 + n % 3, 1000, 10, 5, 1 << 20, 'vm_memory', 6.5, 20, true,
    2.5, 40, 12, 30, 8, 700, 15, 12, 'HDE', 100, 0.001, 'HDE', 20, 600, true, 1, gen_random_uuid(), 'bench', '1.0.0',
    '01000000-0000-0000-0000-000000000001', n, 'k1', 50, 'plan/1'
FROM generate_series(1, $1::int) AS n`

// medianAppended writes rows to what is there, some times.
func (b *bench) medianAppended(ctx context.Context, rounds, collectors int) (perSecond float64, serverCPU time.Duration, err error) {
	var turns []*measured
	for range rounds {
		m, err := b.appended(ctx, collectors)
		if err != nil {
			return 0, 0, err
		}
		turns = append(turns, m)
	}
	return medianOf(turns, (*measured).perSecond), medianOf(turns, func(m *measured) time.Duration { return m.serverCPU }), nil
}

// appended times the way through collectors into the table as it is.
func (b *bench) appended(ctx context.Context, collectors int) (m *measured, err error) {
	f, err := b.startFleet(ctx, ackOnCommit, collectors)
	if err != nil {
		return nil, err
	}
	defer func() { err = joinStop(err, f) }()
	rows := b.rows / requestRecords * requestRecords
	before, err := b.server.received(ctx)
	if err != nil {
		return nil, err
	}
	m = &measured{rows: rows}
	cpuBefore, err := childrenCPU(b.server.PID())
	if err != nil {
		return nil, err
	}
	begin := time.Now()
	if err := f.send(ctx, rows); err != nil {
		return nil, err
	}
	m.took = time.Since(begin)
	cpu, err := childrenCPU(b.server.PID())
	if err != nil {
		return nil, err
	}
	m.serverCPU = (cpu - cpuBefore) / time.Duration(rows)
	after, err := b.server.received(ctx)
	if err == nil && after-before != rows {
		err = fmt.Errorf("%d decisions were committed instead of %d", after-before, rows)
	}
	return m, err
}

// byPartitions gives the table partitions of a day each.
func (b *bench) byPartitions(ctx context.Context, o options) (string, error) {
	report := &strings.Builder{}
	report.WriteString("\n## By the number of partitions\n\nOf a day each; what is written goes to one of them.\n\n| partitions | PostgreSQL's CPU, µs/row | rows/s |\n|---|---|---|\n")
	for _, partitions := range o.partitions {
		if err := b.server.partitionByDays(ctx, partitions); err != nil {
			return "", err
		}
		perSecond, cpu, err := b.medianAppended(ctx, o.rounds, 1)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(report, "| %d | %.1f | %s |\n", partitions, cpu.Seconds()*1e6, thousands(perSecond))
	}
	return report.String(), nil
}

func (b *bench) byCollectors(ctx context.Context, o options) (string, error) {
	report := &strings.Builder{}
	report.WriteString("\n## By the number of collectors\n\nAll on this machine, with the senders and PostgreSQL.\n\n| collectors | PostgreSQL's CPU, µs/row | rows/s |\n|---|---|---|\n")
	for _, collectors := range o.collectors {
		if err := b.server.empty(ctx); err != nil {
			return "", err
		}
		perSecond, cpu, err := b.medianAppended(ctx, o.rounds, collectors)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(report, "| %d | %.1f | %s |\n", collectors, cpu.Seconds()*1e6, thousands(perSecond))
	}
	return report.String(), nil
}
