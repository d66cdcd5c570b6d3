package instrumentation

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/trace"
)

// taken is a taker that notes the sequence numbers it finds.
func takeUntil(r *ring, done <-chan struct{}) (numbers []int64, texts map[string]bool) {
	texts = map[string]bool{}
	for {
		entries, _ := r.peek(7)
		for i := range entries {
			numbers = append(numbers, entries[i].decision.RecorderSequence.Value)
			texts[entries[i].decision.RequestID] = true
		}
		r.release(len(entries))
		select {
		case <-done:
			if r.waiting() == 0 {
				return numbers, texts
			}
		default:
			runtime.Gosched()
		}
	}
}

// Whoever has lost decisions finds it in the numbers: each is taken once, by a
// decision that arrived or by one that was dropped.
func TestNumbersAreTakenOnceUnderContentionAndDrops(t *testing.T) {
	t.Parallel()
	const goroutines, each = 8, 5000
	for _, limit := range []int{1, 3, 64, 100000} {
		r := newRing(limit)
		done := make(chan struct{})
		go func() {
			defer close(done)
			var putting sync.WaitGroup
			for g := range goroutines {
				putting.Go(func() {
					for i := range each {
						d := someDecision(fmt.Sprint(g, "/", i))
						if waiting := r.put(&d, trace.SpanContext{}, 1, time.Time{}); waiting > limit {
							t.Errorf("%d wait in a ring of %d", waiting, limit)
						}
					}
				})
			}
			putting.Wait()
		}()
		numbers, texts := takeUntil(r, done)
		accepted, dropped := r.counts()
		require.EqualValues(t, goroutines*each, accepted+dropped)
		require.Len(t, numbers, int(accepted))
		require.Len(t, texts, int(accepted))
		seen := map[int64]bool{}
		for _, n := range numbers {
			require.False(t, seen[n])
			require.True(t, 1 <= n && n <= goroutines*each)
			seen[n] = true
		}
		if limit == 100000 {
			require.Zero(t, dropped)
		}
		d := someDecision("last")
		r.put(&d, trace.SpanContext{}, 1, time.Time{})
		numbers, _ = takeUntil(r, done)
		require.Equal(t, []int64{goroutines*each + 1}, numbers, "as many numbers have been taken as decisions came")
	}
}

func TestNothingGetsIntoAClosedRingAndNothingIsLostInIt(t *testing.T) {
	t.Parallel()
	for range 50 {
		r := newRing(1000)
		var putting sync.WaitGroup
		var mu sync.Mutex
		in := 0
		for range 4 {
			putting.Go(func() {
				for range 100 {
					d := someDecision("r")
					if r.put(&d, trace.SpanContext{}, 1, time.Time{}) > 0 {
						mu.Lock()
						in++
						mu.Unlock()
					}
				}
			})
		}
		r.close()
		d := someDecision("late")
		require.Zero(t, r.put(&d, trace.SpanContext{}, 1, time.Time{}))
		late := r.putLate(&d, trace.SpanContext{}, 1)
		require.NotZero(t, late, "what was open gets in all the same")
		putting.Wait()
		done := make(chan struct{})
		close(done)
		numbers, _ := takeUntil(r, done)
		require.Len(t, numbers, in+1)
		accepted, _ := r.counts()
		require.EqualValues(t, in+1, accepted)

		r.discard()
		require.Zero(t, r.putLate(&d, trace.SpanContext{}, 1))
		require.False(t, r.filled())
	}
}

// A caller may be interrupted between reading the tail and reading the head,
// which has gone past that tail when it goes on.
func TestRingIsNotFullToACallerWhoseTailIsOld(t *testing.T) {
	t.Parallel()
	r := newRing(3)
	for _, test := range []struct {
		tail, head uint64
		full       bool
	}{
		{0, 0, false}, {2, 0, false}, {3, 0, true}, {5, 2, true}, {5, 3, false}, {5, 6, false}, {5, 5000, false}, {0, 1, false},
	} {
		require.Equal(t, test.full, r.full(test.tail, test.head), "%+v", test)
	}
}

// The worker may have gone to sleep in front of a decision that was still being
// copied in: whoever comes after it wakes it again.
func TestWorkerIsWokenByAnyDecisionAfterAFullBatch(t *testing.T) {
	t.Parallel()
	r := parkedRecorder(t, WithRingCapacity(64))
	recordSome(r, r.batch-1)
	require.Empty(t, r.wake)
	recordSome(r, 1)
	require.Len(t, r.wake, 1)
	<-r.wake
	recordSome(r, 1)
	require.Len(t, r.wake, 1)
}
