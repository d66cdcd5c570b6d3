package instrumentation

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/trace"

	"github.com/novacron/dwcp-telemetry/decision"
)

func TestNilIsSafeEverywhere(t *testing.T) {
	t.Parallel()
	d := someDecision("r")
	for name, r := range map[string]*Recorder{"nil": nil, "zero": {}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r.SetEnabled(true)
			r.Record(context.Background(), &d)
			require.NoError(t, r.SetSamplingRatio(0.5))
			require.NoError(t, r.ForceFlush(context.Background()))
			require.NoError(t, r.Shutdown(context.Background()))
			assert.False(t, r.Enabled())
			assert.Zero(t, r.ID())
			assert.Equal(t, Stats{}, r.Stats())
		})
	}
	r := parkedRecorder(t)
	r.Record(context.Background(), nil)
	r.Record(nil, &d) //nolint:staticcheck // a caller's mistake must not hurt it
	assert.EqualValues(t, 1, r.Stats().Recorded)
}

func TestRecordLeavesTheCallersDecisionAlone(t *testing.T) {
	t.Parallel()
	c := startCollector(t, nil)
	r := startRecorder(t, c.address)
	d := decision.Decision{RequestID: "r"}
	before := d
	r.Record(context.Background(), &d)
	require.Equal(t, before, d)
	d = someDecision("used again") // the Recorder's copy must not see it
	require.NoError(t, r.ForceFlush(within(t)))
	require.Equal(t, "r", attributesOf(c.logs()[0])["dwcp.request.id"])
	require.Equal(t, someDecision("used again"), d)
}

func TestRecordDoesNotAllocate(t *testing.T) {
	span := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}})
	ctx := trace.ContextWithSpanContext(context.Background(), span)
	d := fullDecision(t)
	unstamped := d
	unstamped.Timestamp, unstamped.EventID = time.Time{}, decision.UUID{}
	for name, r := range map[string]*Recorder{
		"taken": parkedRecorder(t), "disabled": parkedRecorder(t, WithEnabled(false)),
		"sampled out": parkedRecorder(t, WithSamplingRatio(0)), "ring full": parkedRecorder(t, WithRingCapacity(1)),
	} {
		assert.Zero(t, testing.AllocsPerRun(2000, func() { r.Record(ctx, &d) }), name)
		assert.Zero(t, testing.AllocsPerRun(2000, func() { r.Record(ctx, &unstamped) }), "unstamped, "+name)
	}
}

func TestFullRingDropsTheNewestAndLeavesAGap(t *testing.T) {
	t.Parallel()
	c := startCollector(t, nil)
	r, err := newRecorder(testConfig(WithRingCapacity(3)))
	require.NoError(t, err)
	record := func(requestID string) {
		d := someDecision(requestID)
		r.Record(context.Background(), &d)
	}
	for i := range 5 {
		record(fmt.Sprint("r", i+1))
	}
	require.Equal(t, Stats{Recorded: 3, Dropped: 2, Pending: 3}, r.Stats())

	r.sink, err = newSender(r.ctx, testSenderConfig(c.address), r.ledger, r.report)
	require.NoError(t, err)
	go r.work()
	require.NoError(t, r.ForceFlush(within(t)))
	// The slots are given back a moment after the last is delivered.
	require.Eventually(t, func() bool { return r.ring.waiting() == 0 }, time.Minute, time.Millisecond)
	record("r6")
	require.NoError(t, r.Shutdown(within(t)))

	var got []string
	for _, d := range c.decisions(t) {
		got = append(got, fmt.Sprint(d.RequestID, " ", d.RecorderSequence.Value))
	}
	require.Equal(t, []string{"r1 1", "r2 2", "r3 3", "r6 6"}, got)
	require.Equal(t, Stats{Recorded: 4, Dropped: 2, Sent: 4}, r.Stats())
}

func TestDecisionsOfManyGoroutinesAllArriveOnce(t *testing.T) {
	t.Parallel()
	const goroutines, each = 8, 700
	c := startCollector(t, nil)
	r := startRecorder(t, c.address)
	var recording sync.WaitGroup
	for g := range goroutines {
		recording.Go(func() {
			for i := range each {
				d := someDecision(fmt.Sprintf("%d/%d", g, i))
				r.Record(context.Background(), &d)
			}
		})
	}
	recording.Wait()
	require.NoError(t, r.Shutdown(within(t)))

	requests, events, sequences := map[string]bool{}, map[decision.UUID]bool{}, map[int64]bool{}
	for _, d := range c.decisions(t) {
		requests[d.RequestID], events[d.EventID], sequences[d.RecorderSequence.Value] = true, true, true
	}
	require.Len(t, requests, goroutines*each)
	require.Len(t, events, goroutines*each)
	for i := range int64(goroutines * each) {
		require.True(t, sequences[i+1], "sequence %d", i+1)
	}
	require.Equal(t, Stats{Recorded: goroutines * each, Sent: goroutines * each}, r.Stats())
}

func TestDisabledRecorderRecordsNothingUntilEnabled(t *testing.T) {
	t.Parallel()
	r := parkedRecorder(t, WithEnabled(false))
	d := someDecision("r")
	r.Record(context.Background(), &d)
	require.Equal(t, Stats{}, r.Stats())
	r.SetEnabled(true)
	require.True(t, r.Enabled())
	r.Record(context.Background(), &d)
	require.Equal(t, Stats{Recorded: 1, Pending: 1}, r.Stats())
}

func TestWrongOptionsAreToldAllAtOnce(t *testing.T) {
	t.Parallel()
	r, err := New(WithRingCapacity(0), WithSamplingRatio(1.5), nil)
	require.Nil(t, r)
	require.EqualError(t, err, "new recorder: WithRingCapacity: must be 1..1048576, got 0\n"+
		"WithSamplingRatio: must be 0..1, got 1.5")
}
