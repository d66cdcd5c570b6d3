package instrumentation

import (
	"context"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/novacron/dwcp-telemetry/decision"
)

// measured returns the metrics by name.
func measured(tb testing.TB, reader *sdkmetric.ManualReader) map[string]metricdata.Metrics {
	tb.Helper()
	var all metricdata.ResourceMetrics
	require.NoError(tb, reader.Collect(context.Background(), &all))
	require.Len(tb, all.ScopeMetrics, 1)
	require.Equal(tb, scopeName, all.ScopeMetrics[0].Scope.Name)
	byName := map[string]metricdata.Metrics{}
	for _, m := range all.ScopeMetrics[0].Metrics {
		byName[m.Name] = m
	}
	return byName
}

func counterValue(m metricdata.Metrics) int64 {
	return m.Data.(metricdata.Sum[int64]).DataPoints[0].Value
}

func TestCountersSayWhatStatsSay(t *testing.T) {
	t.Parallel()
	reader := sdkmetric.NewManualReader()
	m := &memory{}
	calls := 0
	m.onEmit = func() {
		if calls++; calls == 2 {
			panic("refused")
		}
	}
	meters := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	parked, err := newRecorder(testConfig(WithMeterProvider(meters), WithRingCapacity(4)))
	require.NoError(t, err)
	recordSome(parked, 7)
	require.NoError(t, parked.SetSamplingRatio(0))
	recordSome(parked, 2)
	parked.sink = &providerSink{logger: sdkLogger(m), ledger: parked.ledger, report: parked.report}
	go parked.work()
	require.NoError(t, parked.Shutdown(within(t)))

	got := measured(t, reader) // after Shutdown: the last values must not be lost
	for name, want := range map[string]int64{"recorded": 4, "dropped": 3, "sampled_out": 2, "sent": 3, "refused": 1} {
		name = "dwcp.telemetry.decisions." + name
		assert.Equal(t, want, counterValue(got[name]), name)
		assert.Equal(t, "{decision}", got[name].Unit, name)
		sum := got[name].Data.(metricdata.Sum[int64])
		assert.True(t, sum.IsMonotonic, name)
		assert.NotEmpty(t, got[name].Description, name)
	}
	require.Equal(t, Stats{Recorded: 4, Dropped: 3, SampledOut: 2, Sent: 3, Refused: 1, Panics: 1}, parked.Stats())
}

func TestHistogramsAreByAlgorithmAndLinkType(t *testing.T) {
	t.Parallel()
	reader := sdkmetric.NewManualReader()
	r := providerRecorder(t, &memory{}, WithMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))))
	record := func(change func(*decision.Decision)) {
		d := someDecision("r")
		change(&d)
		r.Record(context.Background(), &d)
	}
	record(func(*decision.Decision) {})
	record(func(d *decision.Decision) { d.ActualLatencyMillis.Value = 9.5 })
	record(func(d *decision.Decision) { d.LinkType, d.ActualAlgorithm.Value = "carrier pigeon", decision.AMST })
	record(func(d *decision.Decision) { // nothing valid in it
		d.ActualAlgorithm = decision.Opt[decision.Algorithm]{}
		d.ActualLatencyMillis.Value, d.HDECompressionRatio.Value, d.PayloadBytes = math.NaN(), math.Inf(1), -1
	})
	require.NoError(t, r.ForceFlush(within(t)))
	require.NoError(t, r.Shutdown(within(t)))

	got := measured(t, reader)
	wan := attribute.NewSet(attribute.String("dwcp.actual.algorithm", "HDE"), attribute.String("dwcp.network.link_type", "wan"))
	other := attribute.NewSet(attribute.String("dwcp.actual.algorithm", "AMST"), attribute.String("dwcp.network.link_type", "other"))
	assertHistogram(t, got["dwcp.decision.latency"], "ms", map[attribute.Set]string{wan: "2 of 320", other: "1 of 310.5"})
	assertHistogram(t, got["dwcp.decision.compression_ratio"], "1", map[attribute.Set]string{wan: "2 of 7", other: "1 of 3.5"})
	assertHistogram(t, got["dwcp.decision.payload.size"], "By", map[attribute.Set]string{
		wan: fmt.Sprint("2 of ", 128<<20), other: fmt.Sprint("1 of ", 64<<20)})
}

func assertHistogram(t *testing.T, m metricdata.Metrics, unit string, want map[attribute.Set]string) {
	t.Helper()
	assert.Equal(t, unit, m.Unit)
	assert.NotEmpty(t, m.Description)
	got := map[attribute.Set]string{}
	switch h := m.Data.(type) {
	case metricdata.Histogram[float64]:
		for _, p := range h.DataPoints {
			got[p.Attributes] = fmt.Sprintf("%d of %v", p.Count, p.Sum)
		}
	case metricdata.Histogram[int64]:
		for _, p := range h.DataPoints {
			got[p.Attributes] = fmt.Sprintf("%d of %v", p.Count, p.Sum)
		}
	}
	assert.Equal(t, want, got, m.Name)
}

func TestMeasuringADecisionDoesNotAllocate(t *testing.T) {
	reader := sdkmetric.NewManualReader()
	m, err := newMetrics(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)), func() Stats { return Stats{} }, newReporter(&troubles{}))
	require.NoError(t, err)
	d := someDecision("r")
	require.Zero(t, testing.AllocsPerRun(500, func() { m.observe(&d) }))
}

func TestEveryMetricIsInThePackageComment(t *testing.T) {
	t.Parallel()
	reader := sdkmetric.NewManualReader()
	r := providerRecorder(t, &memory{}, WithMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))))
	recordSome(r, 1)
	require.NoError(t, r.Shutdown(within(t)))
	text, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	got := measured(t, reader)
	require.Len(t, got, len(counters)+5)
	var names []string // what doc.go lists, first on its line
	for line := range strings.Lines(string(text)) {
		if listed, ok := strings.CutPrefix(line, "//\t"); ok {
			name, _, _ := strings.Cut(listed, " ")
			names = append(names, name)
		}
	}
	for name := range got {
		assert.Contains(t, names, name)
	}
}
