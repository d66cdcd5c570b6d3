package instrumentation

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/trace"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/instrumentation/measure"
)

// plenty is a budget that nothing uses up.
var plenty = WithShadowBudget(ShadowBudget{CPUPercent: 100, BytesPerSecond: 1 << 50, MaxPayloadBytes: 1 << 40})

// asked begins a decision that is to be shadowed.
func asked(tb testing.TB, r *Recorder, requestID string) *Pending {
	tb.Helper()
	p := r.Begin(context.Background(), bare(requestID))
	require.True(tb, p.ShouldShadow())
	return p
}

func TestShadowRunIsPutIntoTheDecisionThatWaitsForIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := parkedRecorder(t, WithShadowRatio(1), plenty)
		span := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}})
		p := r.Begin(trace.ContextWithSpanContext(context.Background(), span), bare("r"))
		require.True(t, p.ShouldShadow())
		p.ShadowAMST(func(ctx context.Context) (AMSTRun, error) {
			assert.Equal(t, span, trace.SpanContextFromContext(ctx))
			deadline, _ := ctx.Deadline()
			assert.Equal(t, p.slot.deadline, deadline)
			time.Sleep(time.Second)
			return amstRun, nil
		})
		p.HDE(hdeRun)
		p.Finish(Result{Algorithm: decision.HDE})
		synctest.Wait()
		require.Empty(t, inRing(r), "it waits for the shadow run")
		time.Sleep(time.Second)
		synctest.Wait()
		got := inRing(r)
		require.Len(t, got, 1)
		require.Equal(t, amstRun.LatencyMillis, got[0].AMSTLatencyMillis)
		require.Equal(t, decision.Some(decision.Shadow), got[0].AMSTSource)
		require.Equal(t, decision.Some(decision.Measured), got[0].HDESource)
		require.Zero(t, got[0].QualityFlags)
		require.Equal(t, ShadowStats{Completed: 1}, r.Stats().Shadow)
	})
}

func TestShadowRunThatEndsFirstLetsFinishSend(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := parkedRecorder(t, WithShadowRatio(1), plenty)
		p := asked(t, r, "r")
		p.ShadowHDE(func(context.Context) (HDERun, error) { return hdeRun, nil })
		synctest.Wait()
		require.Empty(t, inRing(r))
		p.AMST(amstRun)
		p.Finish(Result{Algorithm: decision.AMST})
		require.Equal(t, decision.Some(decision.Shadow), inRing(r)[0].HDESource)
		require.Equal(t, hdeRun.CompressionRatio, inRing(r)[0].HDECompressionRatio)
	})
}

func TestShadowRunElsewhereIsWaitedForToo(t *testing.T) {
	t.Parallel()
	r := parkedRecorder(t, WithShadowRatio(1), plenty)
	p := asked(t, r, "r")
	p.Finish(Result{})
	require.Empty(t, inRing(r))
	p.AMST(AMSTRun{Source: decision.Shadow, LatencyMillis: decision.Some(1.0)})
	require.Len(t, inRing(r), 1)
	require.Equal(t, ShadowStats{Completed: 1}, r.Stats().Shadow)
	require.Zero(t, places(r))
}

func TestShadowRunThatGoesWrongHurtsNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		told := &troubles{}
		r := parkedRecorder(t, WithShadowRatio(1), plenty, WithErrorHandler(told))
		for i, run := range []func(context.Context) (HDERun, error){
			func(context.Context) (HDERun, error) { return hdeRun, errors.New("no baseline") },
			func(context.Context) (HDERun, error) { panic("index out of range") },
			func(context.Context) (HDERun, error) { runtime.Goexit(); return hdeRun, nil },
			nil,
			func(context.Context) (HDERun, error) { return hdeRun, nil }, // the next is run all the same
		} {
			p := asked(t, r, strconv.Itoa(i))
			p.ShadowHDE(run)
			p.Finish(Result{})
			synctest.Wait()
		}
		got := inRing(r)
		require.Len(t, got, 5)
		for i := range 4 {
			require.False(t, got[i].HDELatencyMillis.Set)
			require.False(t, got[i].HDESource.Set)
		}
		require.True(t, got[4].HDELatencyMillis.Set)
		s := r.Stats()
		require.Equal(t, ShadowStats{Completed: 1, Failed: 1, Panicked: 3}, s.Shadow)
		require.EqualValues(t, 2, s.Panics, "ending the goroutine is no panic")
		require.Contains(t, told.text(), "no baseline")
		require.Contains(t, told.text(), "run a shadow: panic: index out of range")
		require.Zero(t, places(r))
	})
}

func TestShadowRunThatOverrunsTheDeadlineIsCutOff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := parkedRecorder(t, WithShadowRatio(1), plenty, WithPendingTimeout(time.Minute))
		p := asked(t, r, "stuck")
		p.ShadowHDE(func(ctx context.Context) (HDERun, error) {
			<-ctx.Done()
			time.Sleep(time.Minute) // heeds it late
			return hdeRun, nil
		})
		p.Finish(Result{})
		behind := asked(t, r, "behind")
		behind.ShadowHDE(func(context.Context) (HDERun, error) { t.Error("its decision has gone out"); return hdeRun, nil })
		time.Sleep(time.Minute + 1)
		synctest.Wait()
		got := inRing(r)
		require.Len(t, got, 2)
		require.Equal(t, decision.ShadowTimeout, got[0].QualityFlags)
		require.Equal(t, 2, places(r), "both payloads are still held")
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Zero(t, places(r))
		require.Equal(t, got, inRing(r))
		require.Equal(t, ShadowStats{Unfinished: 2}, r.Stats().Shadow)
	})
}

func TestShadowRunsAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := parkedRecorder(t, WithShadowRatio(1), plenty, WithShadowWorkers(2))
		running, most := 0, 0
		release := make(chan struct{})
		for i := range 10 {
			p := asked(t, r, strconv.Itoa(i))
			p.ShadowHDE(func(context.Context) (HDERun, error) {
				r.open.mu.Lock()
				running++
				most = max(most, running)
				r.open.mu.Unlock()
				<-release
				r.open.mu.Lock()
				running--
				r.open.mu.Unlock()
				return hdeRun, nil
			})
		}
		require.False(t, r.Begin(context.Background(), bare("one too many")).ShouldShadow())
		synctest.Wait()
		close(release)
		synctest.Wait()
		require.Equal(t, 2, most)
		require.Equal(t, ShadowStats{QueueFull: 1, Completed: 10}, r.Stats().Shadow)
		asked(t, r, "there is room again")
	})
}

func TestShutdownEndsShadowRuns(t *testing.T) {
	t.Parallel()
	c := startCollector(t, nil)
	r := startRecorder(t, c.address, WithShadowRatio(1), plenty)
	ended := false
	p := asked(t, r, "r")
	started := make(chan struct{})
	p.ShadowHDE(func(ctx context.Context) (HDERun, error) {
		close(started)
		<-ctx.Done()
		time.Sleep(10 * time.Millisecond)
		ended = true
		return hdeRun, nil
	})
	<-started
	require.NoError(t, r.Shutdown(within(t)))
	require.True(t, ended, "Shutdown waits for what still runs")
	require.Equal(t, decision.ShadowTimeout, c.decisions(t)[0].QualityFlags)
}

// Shutdown has waited for those that ran by then.
func TestNoShadowRunStartsAfterShutdown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := parkedRecorder(t, WithShadowRatio(1), plenty)
		never := func(context.Context) (HDERun, error) { t.Error("it must not run"); return hdeRun, nil }
		asked(t, r, "runs").ShadowHDE(func(ctx context.Context) (HDERun, error) { <-ctx.Done(); return hdeRun, nil })
		asked(t, r, "waits").ShadowHDE(never)
		late := asked(t, r, "late")
		r.shadows.close()
		synctest.Wait()
		r.shadows.wait(context.Background())
		late.ShadowHDE(never)
		synctest.Wait()
		require.Zero(t, places(r))
		r.open.flush(10)
		require.Equal(t, ShadowStats{Completed: 1, Unfinished: 2}, r.Stats().Shadow)
	})
}

func TestShutdownDoesNotWaitForAShadowRunThatHangs(t *testing.T) {
	t.Parallel()
	c := startCollector(t, nil)
	r := startRecorder(t, c.address, WithShadowRatio(1), plenty)
	hang := make(chan struct{})
	defer close(hang)
	asked(t, r, "r").ShadowHDE(func(context.Context) (HDERun, error) { <-hang; return hdeRun, nil })
	ctx, cancel := context.WithCancel(within(t))
	go func() { <-r.done; cancel() }() // as a deadline after the delivery would
	require.NoError(t, r.Shutdown(ctx), "the decision is delivered")
	require.Len(t, c.decisions(t), 1)
}

func TestPayloadsAboveTheLargestAreNotShadowed(t *testing.T) {
	t.Parallel()
	r := parkedRecorder(t, WithShadowRatio(1), WithShadowBudget(ShadowBudget{MaxPayloadBytes: 1000}))
	for size, want := range map[int64]bool{1000: true, 1001: false} {
		d := bare("r")
		d.PayloadBytes = size
		require.Equal(t, want, r.Begin(context.Background(), d).ShouldShadow())
	}
	require.Equal(t, ShadowStats{TooLarge: 1}, r.Stats().Shadow)
}

// The long-run rate is the budget's, and small payloads are thinned no less
// than large ones.
func TestBudgetOfBytesHoldsInTheLongRunAndThinsAllSizesAlike(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const perSecond, seconds = 1 << 20, 4000
		r := parkedRecorder(t, WithShadowRatio(1), WithShadowBudget(ShadowBudget{CPUPercent: 100, BytesPerSecond: perSecond}), WithPendingLimit(1))
		sizes := []int64{4 << 10, 4 << 20}
		var runs [2]int
		var bytes int64
		for i := range seconds {
			d := bare(strconv.Itoa(i))
			k := i * 7 % 11 % 2
			d.PayloadBytes = sizes[k]
			p := r.Begin(context.Background(), d)
			if p.ShouldShadow() {
				runs[k]++
				bytes += d.PayloadBytes
				p.HDE(HDERun{Source: decision.Shadow})
			}
			p.Finish(Result{})
			time.Sleep(time.Second)
		}
		require.InEpsilon(t, perSecond, float64(bytes)/seconds, 0.02)
		small, large := float64(runs[0])/(seconds*6/11.0), float64(runs[1])/(seconds*5/11.0)
		require.InDelta(t, small, large, 0.1, "%v", runs)
		require.NotZero(t, r.Stats().Shadow.OverBytes)
	})
}

func TestBudgetOfCPUIsChargedWithWhatRunsTook(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := parkedRecorder(t, WithShadowRatio(1), WithShadowBudget(ShadowBudget{CPUPercent: 10, BytesPerSecond: 1 << 50}))
		const each = 2 * time.Second // of all cores, as the run itself says
		runs := 0
		const seconds = 2000
		for i := range seconds {
			p := r.Begin(context.Background(), bare(strconv.Itoa(i)))
			if p.ShouldShadow() {
				runs++
				p.ShadowHDE(func(context.Context) (HDERun, error) {
					time.Sleep(each)
					return HDERun{CPUUsage: decision.Some(100.0)}, nil
				})
			}
			p.Finish(Result{})
			time.Sleep(time.Second)
			synctest.Wait()
		}
		require.InEpsilon(t, 0.10, float64(runs)*each.Seconds()/seconds, 0.05)
		require.NotZero(t, r.Stats().Shadow.OverCPU)
	})
}

// The thread's own time is charged where a run measures nothing.
func TestCPUOfTheRunItselfIsCharged(t *testing.T) {
	t.Parallel()
	r := parkedRecorder(t, WithShadowRatio(1), plenty)
	before := r.shadows.cpu.balance
	p := asked(t, r, "r")
	p.ShadowHDE(func(context.Context) (HDERun, error) {
		for begun := time.Now(); time.Since(begun) < 10*time.Millisecond; { //nolint:revive // it is there to be busy
		}
		return HDERun{}, nil
	})
	require.Eventually(t, func() bool { return r.Stats().Shadow.Completed == 1 }, time.Minute, time.Millisecond)
	r.shadows.mu.Lock()
	defer r.shadows.mu.Unlock()
	require.Less(t, r.shadows.cpu.balance, before) // how much, a busy machine decides
}

func TestBudgetSurvivesWhatARunSaysOfItself(t *testing.T) {
	t.Parallel()
	for _, said := range []float64{math.NaN(), math.Inf(1), -5, 1e300} {
		r := parkedRecorder(t, plenty)
		before := r.shadows.cpu.balance
		r.shadows.charge(said, time.Second)
		require.InDelta(t, before-float64(measure.CPUs()), r.shadows.cpu.balance, 1e-6, "as if it had used the whole machine")
	}
}

func TestShadowsAreChosenByRequestIDAndIndependentlyOfSampling(t *testing.T) {
	t.Parallel()
	const n, sampled, share = 40000, 0.2, 0.3
	both, previous := 0, map[string]bool{}
	for _, ratio := range []float64{share, 0.6} {
		r := parkedRecorder(t, WithSamplingRatio(sampled), WithShadowRatio(ratio), plenty, WithPendingLimit(1))
		require.NoError(t, r.SetShadowRatio(ratio))
		for i := range n {
			id := fmt.Sprintf("request-%d", i)
			p := r.Begin(context.Background(), bare(id))
			chosen := p.ShouldShadow()
			if previous[id] {
				require.True(t, chosen, "a higher ratio only adds")
			}
			if chosen && ratio == share {
				previous[id] = true
				both++
			}
			p.Finish(Result{})
			p.HDE(HDERun{Source: decision.Shadow})
		}
	}
	expected := n * sampled * share
	require.InDelta(t, expected, both, 4*math.Sqrt(expected))
}

func TestShadowRatioChangesWhileRunning(t *testing.T) {
	t.Parallel()
	r := parkedRecorder(t)
	require.False(t, r.Begin(context.Background(), bare("r")).ShouldShadow(), "off unless told otherwise")
	require.NoError(t, r.SetShadowRatio(1))
	require.EqualValues(t, 1, r.ShadowRatio())
	require.True(t, r.Begin(context.Background(), bare("r")).ShouldShadow())
	require.EqualError(t, r.SetShadowRatio(math.NaN()), "set the shadow ratio: must be 0..1, got NaN")
	require.EqualValues(t, 1, r.ShadowRatio())
	require.NoError(t, (*Recorder)(nil).SetShadowRatio(1))
	require.Zero(t, (*Recorder)(nil).ShadowRatio())
}

// places is how many are taken: asked for, waiting or running.
func places(r *Recorder) int {
	r.shadows.mu.Lock()
	defer r.shadows.mu.Unlock()
	return r.shadows.reserved
}
