package instrumentation

import (
	"context"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"

	"github.com/novacron/dwcp-telemetry/decision"
)

// The histograms' attributes are named as in the event. Both sets are closed,
// so a caller's typing errors cannot multiply the series.
const (
	algorithmKey = attribute.Key("dwcp.actual.algorithm")  // HDE, AMST, unknown
	linkTypeKey  = attribute.Key("dwcp.network.link_type") // dc, metro, wan, edge, other
)

var (
	algorithms = []string{string(decision.HDE), string(decision.AMST), "unknown"}
	linkTypes  = []string{string(decision.DC), string(decision.Metro), string(decision.WAN), string(decision.Edge), "other"}
)

// metrics are the Recorder's instruments.
type metrics struct {
	latencyMillis metric.Float64Histogram
	ratio         metric.Float64Histogram
	payloadBytes  metric.Int64Histogram

	// options holds, per algorithm and link type, the argument that Record
	// would otherwise build anew: 160 ns instead of 650, and no allocation.
	options [][][]metric.RecordOption
}

// newMetrics registers them. A provider that panics is told of and done
// without: it is no reason to lose the decisions.
func newMetrics(provider metric.MeterProvider, stats func() Stats, report *reporter) (m *metrics, err error) {
	if !report.guard("register metrics", func() { m, err = registerMetrics(provider, stats, report) }) {
		return registerMetrics(noop.NewMeterProvider(), stats, report)
	}
	return m, err
}

func registerMetrics(provider metric.MeterProvider, stats func() Stats, report *reporter) (*metrics, error) {
	meter := provider.Meter(scopeName)
	if err := registerCounts(meter, stats, report); err != nil {
		return nil, err
	}
	m := &metrics{options: recordOptions()}
	var err error
	if m.latencyMillis, err = meter.Float64Histogram("dwcp.decision.latency", metric.WithUnit("ms"),
		metric.WithDescription("Time from the start of the chosen way to the receiver's acknowledgement."),
		metric.WithExplicitBucketBoundaries(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 30000, 60000, 300000)); err != nil {
		return nil, err
	}
	if m.ratio, err = meter.Float64Histogram("dwcp.decision.compression_ratio", metric.WithUnit("1"),
		metric.WithDescription("HDE's raw over compressed bytes, whether it was the way used or a shadow run."),
		metric.WithExplicitBucketBoundaries(1, 1.1, 1.25, 1.5, 2, 3, 4, 6, 8, 12, 16, 32, 64, 128, 256)); err != nil {
		return nil, err
	}
	m.payloadBytes, err = meter.Int64Histogram("dwcp.decision.payload.size", metric.WithUnit("By"),
		metric.WithDescription("Size of the raw payload."),
		metric.WithExplicitBucketBoundaries(1<<12, 1<<14, 1<<16, 1<<18, 1<<20, 1<<22, 1<<24, 1<<26, 1<<28, 1<<30, 1<<32, 1<<34, 1<<36))
	return m, err
}

func recordOptions() [][][]metric.RecordOption {
	options := make([][][]metric.RecordOption, len(algorithms))
	for i, algorithm := range algorithms {
		for _, linkType := range linkTypes {
			set := attribute.NewSet(algorithmKey.String(algorithm), linkTypeKey.String(linkType))
			options[i] = append(options[i], []metric.RecordOption{metric.WithAttributeSet(set)})
		}
	}
	return options
}

// wordIndex finds a word; the last one stands for all others.
func wordIndex(words []string, word string) int {
	if i := slices.Index(words, word); i >= 0 {
		return i
	}
	return len(words) - 1
}

var latencyField, ratioField, sizeField = decision.Column("actual_latency_ms"), decision.Column("hde_compression_ratio"), decision.Column("payload_size")

// observe measures a decision. A value that breaks its field's rule is left
// out: one NaN would spoil a histogram's sum for good.
func (m *metrics) observe(d *decision.Decision) {
	options := m.options[wordIndex(algorithms, string(d.ActualAlgorithm.Value))][wordIndex(linkTypes, string(d.LinkType))]
	ctx := context.Background()
	if d.ActualLatencyMillis.Set && latencyField.Check(d) == nil {
		m.latencyMillis.Record(ctx, d.ActualLatencyMillis.Value, options...)
	}
	if d.HDECompressionRatio.Set && ratioField.Check(d) == nil {
		m.ratio.Record(ctx, d.HDECompressionRatio.Value, options...)
	}
	if sizeField.Check(d) == nil {
		m.payloadBytes.Record(ctx, d.PayloadBytes, options...)
	}
}
