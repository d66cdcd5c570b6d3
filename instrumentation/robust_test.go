package instrumentation

import (
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/log"
	lognoop "go.opentelemetry.io/otel/log/noop"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"

	"github.com/novacron/dwcp-telemetry/decision"
)

// Whatever DWCP puts into a decision, it is sent, as one record, and nothing
// breaks on the way: the rules are for the collector.
func FuzzAnyDecisionIsEncoded(f *testing.F) {
	f.Add("vm-1", "request", "wan", 1.5, int64(7), true, uint32(3))
	f.Add("", "\x00\xff", "", math.Inf(1), int64(math.MinInt64), false, uint32(math.MaxUint32))
	f.Add("é", "r", "carrier pigeon", math.NaN(), int64(math.MaxInt64), true, uint32(0))
	f.Fuzz(func(t *testing.T, vm, request, word string, number float64, count int64, yes bool, flags uint32) {
		r := parkedRecorder(t, WithRingCapacity(2), WithVMIDKey("k1", vmKey), WithShadowRatio(1))
		d := decision.Decision{
			Timestamp: time.Unix(count, count), VMID: vm, RequestID: request, LinkType: decision.LinkType(word), Region: word,
			NetworkTier: count, BandwidthAvailableMbps: number, RTTMillis: number, PayloadBytes: count, PayloadType: word, HasBaseline: yes,
			EntropyEstimate: decision.Some(number), PriorSamples: decision.Some(count), Environment: decision.Some(word),
			VMKeyID: decision.Some(word), QualityFlags: decision.Flags(flags), ActualAlgorithm: decision.Some(decision.Algorithm(word)),
		}
		r.Record(context.Background(), &d)
		p := r.Begin(context.Background(), &d)
		p.ShouldShadow()
		p.HDE(HDERun{Source: decision.Source(word), CompressionRatio: decision.Some(number), CPUUsage: decision.Some(number)})
		p.AMST(AMSTRun{Source: decision.Shadow, LatencyMillis: decision.Some(number)})
		p.Finish(Result{Algorithm: decision.Algorithm(word), Outcome: decision.Outcome(word), LatencyMillis: decision.Some(number)})

		entries, _ := r.ring.peek(2)
		require.Len(t, entries, 2)
		for i := range entries {
			r.complete(&entries[i].decision)
			r.metrics.observe(&entries[i].decision)
			require.True(t, vm == "" || decision.IsPseudonym(entries[i].decision.VMID))
		}
		var c encoder
		wire, n := c.encode(nil, entries)
		require.Equal(t, 2, n)
		read := plogotlp.NewExportRequest()
		require.NoError(t, read.UnmarshalProto(wire))
		require.Equal(t, 2, read.Logs().LogRecordCount())
		appendAttributes(nil, &entries[0].decision)
		require.Zero(t, r.Stats().Panics)
	})
}

func TestEachDecisionArrivesThoughTheCollectorRestarts(t *testing.T) {
	t.Parallel()
	const restarts, each = 3, 700
	address := deadAddress(t)
	r := startRecorder(t, address)
	seen := map[decision.UUID]bool{}
	for i := range restarts {
		c := startCollectorAt(t, address, nil)
		for k := range each {
			d := someDecision(fmt.Sprint(i, "/", k))
			r.Record(context.Background(), &d)
			if k == each/2 && i < restarts-1 {
				require.Eventually(t, func() bool { return len(c.logs()) > 0 }, time.Minute, time.Millisecond)
				c.server.Stop() // with the rest under way
			}
		}
		if i == restarts-1 {
			require.NoError(t, r.Shutdown(within(t)))
		}
		for _, d := range c.decisions(t) {
			seen[d.EventID] = true // one sent twice keeps its id
		}
	}
	require.Len(t, seen, restarts*each)
	require.Equal(t, Stats{Recorded: restarts * each, Sent: restarts * each}, r.Stats())
}

// Whoever reads the table must be able to tell each loss from the numbers, also
// of a Recorder that is shut down while everybody is recording into a full ring.
func TestEachNumberIsADecisionThatArrivedOrWasDropped(t *testing.T) {
	t.Parallel()
	for range 5 {
		c := startCollector(t, nil)
		r := startRecorder(t, c.address, WithRingCapacity(64), WithPendingLimit(20), WithShadowRatio(0.5), plenty)
		var recording sync.WaitGroup
		started := make(chan struct{})
		for g := range 8 {
			recording.Go(func() {
				for i := range 400 {
					if i == 200 && g == 0 {
						close(started)
					}
					d := someDecision(fmt.Sprint(g, "/", i))
					r.Record(context.Background(), &d)
					p := r.Begin(context.Background(), &d)
					if p.ShouldShadow() {
						p.ShadowHDE(func(context.Context) (HDERun, error) { return hdeRun, nil })
					}
					if i%7 > 0 {
						p.Finish(Result{})
					}
				}
			})
		}
		<-started
		require.NoError(t, r.Shutdown(within(t)))
		recording.Wait()
		s := r.Stats()
		require.Zero(t, s.Pending+s.Open+s.Panics)
		require.Zero(t, places(r))
		require.Equal(t, s.Recorded, s.Sent)
		numbers := map[int64]bool{}
		for _, d := range c.decisions(t) {
			numbers[d.RecorderSequence.Value] = true
			require.LessOrEqual(t, d.RecorderSequence.Value, int64(s.Recorded+s.Dropped))
		}
		require.Len(t, numbers, int(s.Sent), "each has its own, and the others were dropped")
	}
}

// The tests of what runs at once, again with one processor: nobody may wait for
// somebody who is not running in a way that keeps him from it.
func TestOneProcessorIsEnough(t *testing.T) {
	t.Parallel()
	tests := []string{"TestDecisionsOfManyGoroutinesAllArriveOnce", "TestPendingDecisionsOfManyGoroutinesAllArriveOnce",
		"TestNumbersAreTakenOnceUnderContentionAndDrops", "TestNothingGetsIntoAClosedRingAndNothingIsLostInIt",
		"TestShutdownDeliversAllThereIs", "TestShadowRunsAreBounded"}
	cmd := exec.CommandContext(within(t), os.Args[0], "-test.run", "^("+strings.Join(tests, "|")+")$", "-test.v")
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	output, err := cmd.CombinedOutput()
	require.NoError(t, err, string(output))
	for _, test := range tests {
		require.Contains(t, string(output), "--- PASS: "+test)
	}
}

type panickingMeters struct{ metric.MeterProvider }

func (panickingMeters) Meter(string, ...metric.MeterOption) metric.Meter { panic("no meters") }

// panickingObserver panics when a count is observed.
type panickingObserver struct{ metric.Observer }

func (panickingObserver) ObserveInt64(metric.Int64Observable, int64, ...metric.ObserveOption) {
	panic("no counts")
}

// callingMeters keeps the callback that is registered with it.
type callingMeters struct {
	noop.MeterProvider
	callback metric.Callback
}

type callingMeter struct {
	noop.Meter
	meters *callingMeters
}

func (m *callingMeters) Meter(string, ...metric.MeterOption) metric.Meter {
	return callingMeter{meters: m}
}

func (m callingMeter) RegisterCallback(f metric.Callback, _ ...metric.Observable) (metric.Registration, error) {
	m.meters.callback = f
	return noop.Registration{}, nil
}

func TestMeterProviderThatPanicsCostsOnlyTheMetrics(t *testing.T) {
	t.Parallel()
	told := &troubles{}
	m := &memory{}
	r := providerRecorder(t, m, WithMeterProvider(panickingMeters{}), WithErrorHandler(told))
	recordSome(r, 3)
	require.NoError(t, r.Shutdown(within(t)))
	require.Len(t, m.records, 3)
	require.EqualValues(t, 1, r.Stats().Panics)
	require.Equal(t, "register metrics: panic: no meters", told.text())

	meters := &callingMeters{}
	r = providerRecorder(t, &memory{}, WithMeterProvider(meters), WithErrorHandler(told))
	require.NoError(t, meters.callback(context.Background(), panickingObserver{}))
	require.EqualValues(t, 1, r.Stats().Panics)
}

type panickingProvider struct{ lognoop.LoggerProvider }

func (panickingProvider) Logger(string, ...log.LoggerOption) log.Logger { panic("no loggers") }

func TestLoggerProviderThatPanicsAtTheStartIsAnError(t *testing.T) {
	t.Parallel()
	r, err := New(WithLoggerProvider(panickingProvider{}), WithMeterProvider(noop.NewMeterProvider()), WithErrorHandler(&troubles{}))
	require.Nil(t, r)
	require.EqualError(t, err, "new recorder: the LoggerProvider panicked")
}

func TestErrorHandlerThatPanicsIsCounted(t *testing.T) {
	t.Parallel()
	r := parkedRecorder(t, WithErrorHandler(otel.ErrorHandlerFunc(func(error) { panic("handler") })))
	r.report.guard("do something", func() { panic("first") })
	require.EqualValues(t, 2, r.Stats().Panics)
}
