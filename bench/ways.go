package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// way is one way into PostgreSQL.
type way struct {
	name string
	run  func(context.Context) (*measured, error)
}

// The ways by name; the report looks their results up by it.
const (
	wayPsql      = "`psql \\copy`, binary, one file in one transaction"
	wayPsqlFour  = "`psql \\copy`, binary, four at once"
	wayAloneOne  = "exporter alone, batches of 5,000, one consumer"
	wayAlone     = "exporter alone, batches of 5,000, four consumers"
	wayPgx       = "pgx's own `CopyFrom`, batches of 5,000, one connection"
	wayPlan      = "the plan's writer: a goroutine and a prepared INSERT each"
	wayAck       = "OTLP/gRPC in, committed rows, acknowledged on commit"
	wayMemory    = "OTLP/gRPC in, committed rows, queue in memory"
	wayDurable   = "OTLP/gRPC in, committed rows, durable queue"
	wayReceiving = "OTLP/gRPC in, thrown away (what receiving alone costs)"
)

func (b *bench) ways() []way {
	endToEnd := func(p pipeline) func(context.Context) (*measured, error) {
		return func(ctx context.Context) (*measured, error) { return b.endToEnd(ctx, p, b.rows) }
	}
	return []way{
		{wayPsql, func(ctx context.Context) (*measured, error) { return b.psqlCopy(ctx, 1) }},
		{wayAlone, func(ctx context.Context) (*measured, error) { return b.exporterAlone(ctx, 4) }},
		{wayAloneOne, func(ctx context.Context) (*measured, error) { return b.exporterAlone(ctx, 1) }},
		{wayAck, endToEnd(ackOnCommit)},
		{wayMemory, endToEnd(memoryQueue)},
		{wayDurable, endToEnd(durableQueue)},
		{wayReceiving, endToEnd(receivingOnly)},
		{wayPsqlFour, func(ctx context.Context) (*measured, error) { return b.psqlCopy(ctx, 4) }},
		{wayPgx, b.pgxCopy},
		// A tenth of the rows: it would take minutes.
		{wayPlan, func(ctx context.Context) (*measured, error) { return b.planWriter(ctx, max(b.rows/10, batchRows)) }},
	}
}

// turns runs the ways in turn, round after round.
func (b *bench) turns(ctx context.Context, o options) (results, error) {
	found := results{}
	for round := range o.rounds {
		for _, w := range b.ways() {
			if !strings.Contains(w.name, o.only) {
				continue
			}
			m, err := w.run(ctx)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", w.name, err)
			}
			fmt.Fprintf(os.Stderr, "%d  %-60s %8.0f rows/s  %5.1f µs of the collector's CPU a row\n", round+1, w.name, m.perSecond(), m.cpu.Seconds()*1e6)
			found[w.name] = append(found[w.name], m)
		}
	}
	return found, nil
}

// results are the turns of each way.
type results map[string][]*measured

// perSecond is the median of a way's rows a second; 0 where it was not
// measured.
func (r results) perSecond(name string) float64 {
	return medianOf(r[name], (*measured).perSecond)
}

// cpu is the median of the collector's CPU time a row.
func (r results) cpu(name string) time.Duration {
	return medianOf(r[name], func(m *measured) time.Duration { return m.cpu })
}

// peak is the most memory that the collector took in any turn.
func (r results) peak(name string) (bytes int64) {
	for _, m := range r[name] {
		bytes = max(bytes, m.peakBytes)
	}
	return bytes
}

func medianOf[M any, T float64 | time.Duration](turns []M, of func(M) T) (middle T) {
	values := make([]T, len(turns))
	for i, m := range turns {
		values[i] = of(m)
	}
	slices.Sort(values)
	if len(values) > 0 {
		middle = values[len(values)/2]
	}
	return middle
}
