package instrumentation

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The caller's side alone: the worker is not running, and the ring is emptied
// with the timer stopped.

func parkedRecorder(tb testing.TB, opts ...Option) *Recorder {
	tb.Helper()
	r, err := newRecorder(testConfig(opts...))
	require.NoError(tb, err)
	return r
}

// empty does what the worker does to the ring.
func (r *ring) empty() {
	for r.waiting() > 0 {
		entries, _ := r.peek(maxBatch)
		r.release(len(entries))
	}
}

// ns/op is the wall clock's; cpu-ns/op is this process's CPU time, which is what
// counts where others use the machine too.
func BenchmarkRecord(b *testing.B) {
	r := parkedRecorder(b)
	ctx, d := context.Background(), someDecision("7f0c1a52-93b4-4f0e-8f4e-2f8a4b0b8a11")
	b.ReportAllocs()
	waiting, cpu, before := 0, time.Duration(0), cpuTime(b)
	for b.Loop() {
		r.Record(ctx, &d)
		if waiting++; waiting == defaultRingCapacity {
			b.StopTimer()
			cpu += cpuTime(b) - before
			r.ring.empty()
			waiting, before = 0, cpuTime(b)
			b.StartTimer()
		}
	}
	cpu += cpuTime(b) - before
	require.Zero(b, r.Stats().Dropped)
	b.ReportMetric(float64(cpu)/float64(r.Stats().Recorded), "cpu-ns/op")
}

// Eight goroutines at once fill the ring, again and again. ns/op is the wall
// clock's per decision, so on two cores a caller sees twice that; p50-ns and
// p99-ns are what single calls took, every eighth timed, less what reading the
// clock takes.
func BenchmarkRecordParallel(b *testing.B) {
	const goroutines, timeEvery = 8, 8
	r := parkedRecorder(b)
	ctx := context.Background()
	overhead := clockOverhead()
	took := make([][]time.Duration, goroutines)
	for i := range took {
		took[i] = make([]time.Duration, 0, b.N/goroutines/timeEvery+defaultRingCapacity)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for left := b.N; left > 0; left -= defaultRingCapacity {
		var recording sync.WaitGroup
		for g := range goroutines {
			recording.Go(func() {
				d := someDecision("7f0c1a52-93b4-4f0e-8f4e-2f8a4b0b8a11")
				for i := range min(left, defaultRingCapacity) / goroutines {
					if i%timeEvery != 0 {
						r.Record(ctx, &d)
						continue
					}
					started := time.Now()
					r.Record(ctx, &d)
					took[g] = append(took[g], time.Since(started)-overhead)
				}
			})
		}
		recording.Wait()
		b.StopTimer()
		r.ring.empty()
		b.StartTimer()
	}
	b.StopTimer()
	require.Zero(b, r.Stats().Dropped)
	all := slices.Sorted(slices.Values(slices.Concat(took...)))
	if len(all) > 0 {
		b.ReportMetric(float64(all[len(all)/2]), "p50-ns")
		b.ReportMetric(float64(all[len(all)*99/100]), "p99-ns")
	}
}

// clockOverhead is what timing nothing shows, in the median.
func clockOverhead() time.Duration {
	nothing := make([]time.Duration, 10001)
	for i := range nothing {
		started := time.Now()
		nothing[i] = time.Since(started)
	}
	slices.Sort(nothing)
	return nothing[len(nothing)/2]
}

func BenchmarkRecordDisabled(b *testing.B) {
	r := parkedRecorder(b, WithEnabled(false))
	benchmarkRecord(b, r)
}

func BenchmarkRecordSampledOut(b *testing.B) {
	r := parkedRecorder(b, WithSamplingRatio(0))
	benchmarkRecord(b, r)
	require.Zero(b, r.Stats().Recorded)
}

func BenchmarkRecordRingFull(b *testing.B) {
	r := parkedRecorder(b, WithRingCapacity(1))
	benchmarkRecord(b, r)
	require.EqualValues(b, 1, r.Stats().Recorded)
}

func benchmarkRecord(b *testing.B, r *Recorder) {
	b.Helper()
	ctx, d := context.Background(), someDecision("7f0c1a52-93b4-4f0e-8f4e-2f8a4b0b8a11")
	b.ReportAllocs()
	for b.Loop() {
		r.Record(ctx, &d)
	}
}
