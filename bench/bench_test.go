package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/internal/capacity"
)

// A run with next to no rows: it measures nothing, but everything runs.
func TestEachWayWritesItsRowsAndIsInTheReport(t *testing.T) {
	o := options{rows: batchRows, rounds: 1, sizes: []int{0, 5000}, partitions: []int{2}, collectors: []int{2}, steady: time.Second}
	b, err := newBench(t.Context(), o)
	require.NoError(t, err)
	defer func() { require.NoError(t, b.close()) }()

	report, err := b.shortReport(t.Context(), o)
	require.NoError(t, err)
	for _, w := range b.ways() {
		require.Contains(t, report, w.name)
	}
	require.NotContains(t, report, "not measured")
	require.Contains(t, report, "| (vm_id) |")

	report, err = b.longReport(t.Context(), o)
	require.NoError(t, err)
	for _, row := range []string{"| 5000 | ", "\n| 2 | ", "| durable queue | "} {
		require.Contains(t, report, row)
	}

	require.NoError(t, b.readWAL(t.Context()))
	found := costs{}
	for _, s := range b.stations() {
		if s.name != "Recorder" { // runs go test, whose output the test below reads
			require.NoError(t, s.measure(t.Context(), found), s.name)
		}
	}
	found.add(capacity.RecorderCall, 1)
	found.add(capacity.RecorderBackground, 1)
	for _, d := range capacity.Descriptions {
		require.NotEmpty(t, found[d.Figure], d.What)
	}
}

func TestTheValueOfABenchmarkIsFoundByNameAndUnit(t *testing.T) {
	t.Parallel()
	const output = "BenchmarkRecordParallel-2 \t 10\t 99 ns/op\nBenchmarkRecord-2   \t 1000\t 41.2 ns/op\t 250 p99-ns\n"
	value, err := benchmarkValue(output, "Record", "ns/op")
	require.NoError(t, err)
	require.InDelta(t, 41.2, value, 1e-9)
	_, err = benchmarkValue(output, "Record", "B/op")
	require.ErrorContains(t, err, "printed no B/op of Record")
}

func TestVariedDecisionsKeepTheRulesAndAreNoTwoAlike(t *testing.T) {
	t.Parallel()
	s, err := newSource()
	require.NoError(t, err)
	seen := map[float64]bool{}
	for range 10_000 {
		d := s.next()
		vary(&d)
		require.Empty(t, decision.CheckStored(&d))
		require.False(t, seen[d.RTTMillis])
		seen[d.RTTMillis] = d.RTTMillis > 0
	}
}

func TestNoTwoSourcesMakeTheSameKey(t *testing.T) {
	t.Parallel()
	s, err := newSource()
	require.NoError(t, err)
	seen := map[decision.UUID]bool{}
	for _, from := range []*source{s, s.fork(), s.fork()} {
		for range 10_000 {
			at, id := from.nextKey()
			require.False(t, seen[id])
			require.Equal(t, byte(0x70), id[6]&0xf0, "version 7")
			require.WithinDuration(t, time.Now(), at, time.Minute)
			seen[id] = true
		}
	}
}

func TestALineOfGoTestBecomesARowOfTheTable(t *testing.T) {
	t.Parallel()
	require.Equal(t, "| Record/parallel | 41.2 | 0 | 0 | 250 p99-ns |\n",
		benchmarkRow("BenchmarkRecord/parallel-2   \t 1000\t 41.2 ns/op\t 250 p99-ns\t 0 B/op\t 0 allocs/op\n"))
	require.Empty(t, benchmarkRow("ok  \tpackage\t1.2s\n"))
}
