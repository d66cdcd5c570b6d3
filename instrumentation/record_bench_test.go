package instrumentation

import (
	"context"
	"sync"
	"testing"

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

func BenchmarkRecord(b *testing.B) {
	r := parkedRecorder(b)
	ctx, d := context.Background(), someDecision("7f0c1a52-93b4-4f0e-8f4e-2f8a4b0b8a11")
	b.ReportAllocs()
	waiting := 0
	for b.Loop() {
		r.Record(ctx, &d)
		if waiting++; waiting == defaultRingCapacity {
			b.StopTimer()
			r.ring.empty()
			waiting = 0
			b.StartTimer()
		}
	}
	require.Zero(b, r.Stats().Dropped)
}

// Eight goroutines at once fill the ring, again and again. The time is the
// wall clock's per decision, so on two cores a caller sees twice that.
func BenchmarkRecordParallel(b *testing.B) {
	const goroutines = 8
	r := parkedRecorder(b)
	ctx := context.Background()
	b.ReportAllocs()
	for left := b.N; left > 0; left -= defaultRingCapacity {
		var recording sync.WaitGroup
		for range goroutines {
			recording.Go(func() {
				d := someDecision("7f0c1a52-93b4-4f0e-8f4e-2f8a4b0b8a11")
				for range min(left, defaultRingCapacity) / goroutines {
					r.Record(ctx, &d)
				}
			})
		}
		recording.Wait()
		b.StopTimer()
		r.ring.empty()
		b.StartTimer()
	}
	require.Zero(b, r.Stats().Dropped)
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

// All that the background does for a decision, the receiving server included.
func BenchmarkBackgroundPerDecision(b *testing.B) {
	c := startCollector(b, nil)
	c.discard = true
	r := startRecorder(b, c.address)
	ctx, d := context.Background(), someDecision("7f0c1a52-93b4-4f0e-8f4e-2f8a4b0b8a11")
	b.ReportAllocs()
	waiting := 0
	for b.Loop() {
		r.Record(ctx, &d)
		if waiting++; waiting == defaultRingCapacity/2 {
			require.NoError(b, r.ForceFlush(ctx))
			waiting = 0
		}
	}
	require.NoError(b, r.ForceFlush(ctx))
	require.Zero(b, r.Stats().Dropped)
}
