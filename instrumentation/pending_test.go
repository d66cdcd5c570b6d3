package instrumentation

import (
	"context"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/trace"

	"github.com/novacron/dwcp-telemetry/decision"
)

// bare is a decision as it is known before the choice.
func bare(requestID string) *decision.Decision {
	d := someDecision(requestID)
	d.HDECompressionRatio, d.HDELatencyMillis = decision.Opt[float64]{}, decision.Opt[float64]{}
	d.AMSTTransferRateMbps, d.AMSTLatencyMillis = decision.Opt[float64]{}, decision.Opt[float64]{}
	d.ActualAlgorithm, d.ActualLatencyMillis = decision.Opt[decision.Algorithm]{}, decision.Opt[float64]{}
	d.HDEPriorCompressionRatio = decision.Some(2.5)
	return &d
}

var (
	hdeRun  = HDERun{CompressionRatio: decision.Some(3.5), DeltaHitRate: decision.Some(40.0), LatencyMillis: decision.Some(120.0), CPUUsage: decision.Some(23.0)}
	amstRun = AMSTRun{TransferRateMbps: decision.Some(800.0), LatencyMillis: decision.Some(671.0), CPUUsage: decision.Some(4.0)}
)

// inRing returns what a parked Recorder's worker would find.
func inRing(r *Recorder) (waiting []decision.Decision) {
	entries, _ := r.ring.peek(r.ring.waiting())
	for i := range entries {
		waiting = append(waiting, entries[i].decision)
	}
	return waiting
}

func TestDecisionGoesOutWhenItIsFinished(t *testing.T) {
	t.Parallel()
	r := parkedRecorder(t, WithSamplingRatio(0.999999))
	span := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}})
	d := bare("r")
	want := *d
	p := r.Begin(trace.ContextWithSpanContext(context.Background(), span), d)
	*d = decision.Decision{} // the Recorder has its own copy
	p.HDE(hdeRun)
	require.Empty(t, inRing(r))
	require.Equal(t, Stats{Open: 1}, r.Stats())
	p.Finish(Result{Algorithm: decision.HDE, LatencyMillis: decision.Some(310.5)})

	want.HDECompressionRatio, want.HDEDeltaHitRate = hdeRun.CompressionRatio, hdeRun.DeltaHitRate
	want.HDELatencyMillis, want.HDECPUUsage = hdeRun.LatencyMillis, hdeRun.CPUUsage
	want.HDESource = decision.Some(decision.Measured)
	want.ActualAlgorithm, want.ActualOutcome = decision.Some(decision.HDE), decision.Some(decision.Success)
	want.ActualLatencyMillis = decision.Some(310.5)
	want.ActualThroughputMbps = decision.Some(float64(64<<20) * 8 / 310500)
	want.SamplingRatio, want.RecorderSequence = decision.Some(0.999999), decision.Some(int64(1))
	require.Equal(t, []decision.Decision{want}, inRing(r))
	entries, _ := r.ring.peek(1)
	require.Equal(t, span.TraceID(), entries[0].traceID)
	require.Equal(t, span.SpanID(), entries[0].spanID)
	require.Equal(t, Stats{Recorded: 1, Pending: 1}, r.Stats())
}

func TestTimeOfADecisionIsWhenItBegins(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := parkedRecorder(t)
		d := bare("r")
		d.Timestamp = time.Time{}
		begun := time.Now()
		p := r.Begin(context.Background(), d)
		time.Sleep(3 * time.Second)
		p.Finish(Result{})
		require.True(t, begun.Equal(inRing(r)[0].Timestamp))
	})
}

func TestFailuresAndFallbacksAreRecorded(t *testing.T) {
	t.Parallel()
	r := parkedRecorder(t)
	for _, outcome := range []decision.Outcome{decision.Failure, decision.Fallback} {
		p := r.Begin(context.Background(), bare("r"))
		p.Finish(Result{Algorithm: decision.HDE, Outcome: outcome, LatencyMillis: decision.Some(1000.0)})
	}
	got := inRing(r)
	require.Equal(t, decision.Some(decision.Failure), got[0].ActualOutcome)
	require.False(t, got[0].ActualThroughputMbps.Set, "nothing arrived")
	require.Equal(t, decision.Some(decision.Fallback), got[1].ActualOutcome)
	require.Equal(t, decision.Some(float64(64<<20)*8/1e6), got[1].ActualThroughputMbps)
}

func TestMeasuredRunReplacesAShadowRunAndNothingElseDoes(t *testing.T) {
	t.Parallel()
	r := parkedRecorder(t)
	p := r.Begin(context.Background(), bare("r"))
	p.AMST(AMSTRun{Source: decision.Shadow, LatencyMillis: decision.Some(1.0)})
	p.AMST(AMSTRun{Source: decision.Shadow, LatencyMillis: decision.Some(2.0)})
	p.AMST(AMSTRun{LatencyMillis: decision.Some(3.0)})
	p.AMST(AMSTRun{LatencyMillis: decision.Some(4.0)})
	p.Finish(Result{})
	require.Equal(t, decision.Some(3.0), inRing(r)[0].AMSTLatencyMillis)
	require.Equal(t, decision.Some(decision.Measured), inRing(r)[0].AMSTSource)
	require.EqualValues(t, 2, r.Stats().Misused)
}

func TestCallsThatComeTwiceOrTooLateAreCountedAndChangeNothing(t *testing.T) {
	t.Parallel()
	r := parkedRecorder(t, WithShadowRatio(1))
	p := r.Begin(context.Background(), bare("r"))
	p.ShadowHDE(nil) // nobody asked
	require.True(t, p.ShouldShadow())
	require.False(t, p.ShouldShadow())
	p.Finish(Result{Algorithm: decision.AMST})
	p.Finish(Result{Algorithm: decision.HDE})
	p.HDE(HDERun{Source: decision.Shadow, LatencyMillis: decision.Some(9.0)})
	require.EqualValues(t, 3, r.Stats().Misused)
	before := inRing(r)
	require.Len(t, before, 1)

	p.HDE(hdeRun)
	p.AMST(amstRun)
	p.Finish(Result{Algorithm: decision.HDE})
	p.ShadowAMST(nil)
	require.False(t, p.ShouldShadow())
	require.Equal(t, before, inRing(r))
	require.Equal(t, decision.Some(decision.AMST), before[0].ActualAlgorithm)
	require.EqualValues(t, 8, r.Stats().Misused)
}

func TestNothingIsBegunForWhatIsNotRecorded(t *testing.T) {
	t.Parallel()
	closed := parkedRecorder(t)
	closed.open.close()
	for name, r := range map[string]*Recorder{
		"nil": nil, "zero": {}, "disabled": parkedRecorder(t, WithEnabled(false)),
		"sampled out": parkedRecorder(t, WithSamplingRatio(0)), "shut down": closed,
	} {
		p := r.Begin(context.Background(), bare("r"))
		require.Nil(t, p, name)
		p.HDE(hdeRun)
		p.AMST(amstRun)
		require.False(t, p.ShouldShadow(), name)
		p.ShadowHDE(nil)
		p.ShadowAMST(nil)
		p.Finish(Result{})
		require.Zero(t, r.Stats().Recorded, name)
	}
	require.Nil(t, parkedRecorder(t).Begin(context.Background(), nil))
}

func TestZeroPendingIsSafe(t *testing.T) {
	t.Parallel()
	var p Pending
	p.HDE(hdeRun)
	p.AMST(amstRun)
	require.False(t, p.ShouldShadow())
	p.ShadowHDE(nil)
	p.ShadowAMST(nil)
	p.Finish(Result{})
}

// Nobody waits for the lock while thousands go out.
func TestDecisionsThatAreDueTogetherGoOutInParts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const n = 3*sendAtOnce + 5
		r := parkedRecorder(t, WithPendingTimeout(time.Minute))
		for i := range n {
			r.Begin(context.Background(), bare(strconv.Itoa(i)))
		}
		r.open.timer.Stop()
		time.Sleep(time.Minute)
		require.True(t, r.open.expireSome())
		require.Len(t, inRing(r), sendAtOnce)
		r.open.expire()
		require.Len(t, inRing(r), n)
		require.Equal(t, Stats{Recorded: n, Pending: n, TimedOut: n}, r.Stats())
	})
}

func TestDecisionThatIsNotFinishedGoesOutAtItsDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := parkedRecorder(t, WithPendingTimeout(time.Minute), WithShadowRatio(1))
		finished := r.Begin(context.Background(), bare("finished"))
		shadowed := r.Begin(context.Background(), bare("shadowed"))
		require.True(t, shadowed.ShouldShadow())
		shadowed.HDE(hdeRun)
		shadowed.Finish(Result{Algorithm: decision.HDE})
		time.Sleep(20 * time.Second)
		forgotten := r.Begin(context.Background(), bare("forgotten"))
		finished.Finish(Result{})

		time.Sleep(40*time.Second - 1)
		synctest.Wait()
		require.Len(t, inRing(r), 1)
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		require.Len(t, inRing(r), 2)
		time.Sleep(20 * time.Second)
		synctest.Wait()
		got := inRing(r)
		require.Len(t, got, 3)
		require.Equal(t, "shadowed", got[1].RequestID)
		require.Equal(t, decision.ShadowTimeout, got[1].QualityFlags)
		require.Equal(t, hdeRun.LatencyMillis, got[1].HDELatencyMillis)
		require.Equal(t, "forgotten", got[2].RequestID)
		require.Zero(t, got[2].QualityFlags, "no shadow run was asked for")
		require.False(t, got[2].ActualOutcome.Set)
		forgotten.Finish(Result{})
		require.Equal(t, Stats{Recorded: 3, Pending: 3, TimedOut: 2, Misused: 1, Shadow: ShadowStats{Unfinished: 1}}, r.Stats())
		require.Zero(t, places(r))
	})
}

// The timer runs by the monotonic clock: a wall clock that is set does not
// move a deadline.
func TestDeadlinesAreOfTheMonotonicClock(t *testing.T) {
	t.Parallel()
	r := parkedRecorder(t)
	d := bare("r")
	d.Timestamp = time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC) // as a wall clock that is wrong would say
	p := r.Begin(context.Background(), d)
	require.Contains(t, p.slot.deadline.String(), " m=+")
	require.InDelta(t, defaultPendingTimeout.Seconds(), time.Until(p.slot.deadline).Seconds(), 60)
	p.Finish(Result{})
	require.Equal(t, d.Timestamp, inRing(r)[0].Timestamp)
}

func TestTheOldestGoesOutWhenTooManyAreOpen(t *testing.T) {
	t.Parallel()
	r := parkedRecorder(t, WithPendingLimit(2))
	var open []*Pending
	for i := range 4 {
		open = append(open, r.Begin(context.Background(), bare(fmt.Sprint("r", i))))
	}
	require.Equal(t, Stats{Recorded: 2, Pending: 2, Open: 2, Evicted: 2}, r.Stats())
	open[3].Finish(Result{})
	open[0].Finish(Result{}) // too late
	open[2].Finish(Result{})
	var got []string
	for _, d := range inRing(r) {
		got = append(got, fmt.Sprint(d.RequestID, d.ActualOutcome.Value, d.RecorderSequence.Value))
	}
	require.Equal(t, []string{"r01", "r12", "r3success3", "r2success4"}, got)
	require.EqualValues(t, 1, r.Stats().Misused)
}

func TestShutdownSendsWhatIsOpenWithWhatItHas(t *testing.T) {
	t.Parallel()
	c := startCollector(t, nil)
	r := startRecorder(t, c.address, WithRingCapacity(16), WithShadowRatio(1))
	const n = 100 // more than fit into the ring
	for i := range n {
		p := r.Begin(context.Background(), bare(strconv.Itoa(i)))
		p.HDE(hdeRun)
		if i == 0 {
			require.True(t, p.ShouldShadow())
			p.Finish(Result{})
		}
	}
	require.NoError(t, r.Shutdown(within(t)))
	got := map[string]decision.Decision{}
	for _, d := range c.decisions(t) {
		got[d.RequestID] = d
		require.Equal(t, hdeRun.LatencyMillis, d.HDELatencyMillis)
	}
	require.Len(t, got, n)
	require.True(t, got["0"].QualityFlags.Has(decision.ShadowTimeout))
	require.Zero(t, got["99"].QualityFlags)
	require.Nil(t, r.Begin(context.Background(), bare("late")))
	s := r.Stats()
	require.Equal(t, Stats{Recorded: n, Sent: n, Shadow: s.Shadow}, s)
}

func TestShutdownCountsWhatIsOpenAsUndelivered(t *testing.T) {
	t.Parallel()
	r := startRecorder(t, deadAddress(t), WithRingCapacity(4))
	var open []*Pending
	for i := range 50 {
		open = append(open, r.Begin(context.Background(), bare(strconv.Itoa(i))))
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	var left *UndeliveredError
	require.ErrorAs(t, r.Shutdown(ctx), &left)
	require.EqualValues(t, 50, left.Decisions)
	<-r.done
	open[49].Finish(Result{}) // harmless
	require.ErrorAs(t, r.Shutdown(ctx), &left)
	require.EqualValues(t, 50, left.Decisions)
	require.EqualValues(t, 50, r.Stats().Pending+r.Stats().Open)
}

func TestPendingDecisionsOfManyGoroutinesAllArriveOnce(t *testing.T) {
	t.Parallel()
	const goroutines, each = 8, 300
	c := startCollector(t, nil)
	r := startRecorder(t, c.address, WithPendingLimit(20), WithShadowRatio(0.5), WithShadowWorkers(2),
		WithShadowBudget(ShadowBudget{CPUPercent: 100, BytesPerSecond: 1 << 50}))
	var recording sync.WaitGroup
	for g := range goroutines {
		recording.Go(func() {
			for i := range each {
				p := r.Begin(context.Background(), bare(fmt.Sprintf("%d/%d", g, i)))
				if p.ShouldShadow() {
					p.ShadowAMST(func(context.Context) (AMSTRun, error) { return amstRun, nil })
				}
				var both sync.WaitGroup
				both.Go(func() { p.HDE(hdeRun) })
				both.Go(func() { p.Finish(Result{Algorithm: decision.HDE}) })
				both.Wait()
			}
		})
	}
	recording.Wait()
	require.NoError(t, r.Shutdown(within(t)))
	seen := map[string]bool{}
	for _, d := range c.decisions(t) {
		require.False(t, seen[d.RequestID])
		seen[d.RequestID] = true
	}
	require.Len(t, seen, goroutines*each)
	s := r.Stats()
	require.EqualValues(t, goroutines*each, s.Sent)
	require.Zero(t, s.Open)
	require.Zero(t, s.Dropped)
	require.Zero(t, places(r))
}

func TestBeginAllocatesOnce(t *testing.T) {
	r := parkedRecorder(t, WithRingCapacity(1))
	off := parkedRecorder(t, WithSamplingRatio(0))
	ctx, d := context.Background(), bare("r")
	assert.EqualValues(t, 1, testing.AllocsPerRun(500, func() {
		p := r.Begin(ctx, d)
		p.HDE(hdeRun)
		p.ShouldShadow()
		p.AMST(amstRun)
		p.Finish(Result{Algorithm: decision.HDE, LatencyMillis: decision.Some(3.0)})
	}))
	assert.Zero(t, testing.AllocsPerRun(500, func() { off.Begin(ctx, d).Finish(Result{}) }))
}

func TestWrongPendingAndShadowOptionsAreTold(t *testing.T) {
	t.Parallel()
	_, err := New(WithPendingLimit(0), WithPendingTimeout(-1), WithShadowRatio(2), WithShadowWorkers(65),
		WithShadowBudget(ShadowBudget{CPUPercent: 101, BytesPerSecond: -1, MaxPayloadBytes: -1}))
	require.EqualError(t, err, strings.Join([]string{
		"new recorder: WithPendingLimit: must be 1..1048576, got 0",
		"WithPendingTimeout: must be above 0, got -1ns",
		"WithShadowRatio: must be 0..1, got 2",
		"WithShadowBudget: CPUPercent: must be above 0 and at most 100, got 101",
		"WithShadowBudget: BytesPerSecond: must be a whole number of bytes, at least 1, got -1",
		"WithShadowBudget: MaxPayloadBytes: must be a whole number of bytes, at least 1, got -1",
		"WithShadowWorkers: must be 1..64, got 65",
	}, "\n"))
}

func TestObserverSeesEachDecisionCompleteAndOnce(t *testing.T) {
	t.Parallel()
	var seen []decision.Decision
	r := providerRecorder(t, &memory{}, WithObserver(func(d *decision.Decision) {
		seen = append(seen, *d)
		d.VMID = "changed"
		if len(seen) == 2 {
			panic("observer")
		}
	}))
	for i := range 3 {
		p := r.Begin(context.Background(), bare(strconv.Itoa(i)))
		p.HDE(hdeRun)
		p.Finish(Result{Algorithm: decision.HDE})
	}
	require.NoError(t, r.Shutdown(within(t)))
	require.Len(t, seen, 3)
	for i, d := range seen {
		require.Equal(t, stamped(d, r, int64(i+1)), d)
		require.Equal(t, strconv.Itoa(i), d.RequestID)
		require.Equal(t, hdeRun.LatencyMillis, d.HDELatencyMillis)
	}
	require.EqualValues(t, 1, r.Stats().Panics)
	require.EqualValues(t, 3, r.Stats().Sent)
}

// The memory of a decision that is gone is used for the next one.
func TestHandleOfADecisionThatIsGoneDoesNotReachTheNextOne(t *testing.T) {
	t.Parallel()
	r := parkedRecorder(t, WithShadowRatio(1), plenty)
	first := r.Begin(context.Background(), bare("first"))
	first.Finish(Result{})
	second := r.Begin(context.Background(), bare("second"))
	require.Same(t, first.slot, second.slot)
	first.HDE(HDERun{LatencyMillis: decision.Some(9.0)})
	first.AMST(AMSTRun{LatencyMillis: decision.Some(9.0)})
	require.False(t, first.ShouldShadow())
	first.Finish(Result{Outcome: decision.Failure})
	require.Len(t, inRing(r), 1)
	second.Finish(Result{Algorithm: decision.AMST})
	want := *bare("second")
	want.ActualAlgorithm, want.ActualOutcome = decision.Some(decision.AMST), decision.Some(decision.Success)
	want.SamplingRatio, want.RecorderSequence = decision.Some(1.0), decision.Some(int64(2))
	require.Equal(t, want, inRing(r)[1])
	require.EqualValues(t, 4, r.Stats().Misused)
}

func TestBeginLeavesHardlyAnythingToTheGarbageCollector(t *testing.T) {
	r := parkedRecorder(t, WithRingCapacity(1))
	d := bare("r")
	const n = 1000
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range n {
		r.Begin(context.Background(), d).Finish(Result{})
	}
	runtime.ReadMemStats(&after)
	require.Less(t, (after.TotalAlloc-before.TotalAlloc)/n, uint64(200), "32 each, not 1 kB")
}
