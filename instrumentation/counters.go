package instrumentation

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// counters are read from the Recorder's own counts when metrics are collected,
// so they cost nothing in between.
var counters = []struct {
	name, unit, description string
	read                    func(*Stats) uint64
}{
	{"dwcp.telemetry.decisions.recorded", "{decision}", "Decisions taken into the ring.", func(s *Stats) uint64 { return s.Recorded }},
	{"dwcp.telemetry.decisions.dropped", "{decision}", "Decisions lost because the ring was full.", func(s *Stats) uint64 { return s.Dropped }},
	{"dwcp.telemetry.decisions.sampled_out", "{decision}", "Decisions left out by the sampling ratio.", func(s *Stats) uint64 { return s.SampledOut }},
	{"dwcp.telemetry.decisions.sent", "{decision}", "Decisions acknowledged by the collector, or handed to the LoggerProvider.", func(s *Stats) uint64 { return s.Sent }},
	{"dwcp.telemetry.decisions.refused", "{decision}", "Decisions lost because the collector would not take them.", func(s *Stats) uint64 { return s.Refused }},
	{"dwcp.telemetry.decisions.timed_out", "{decision}", "Decisions recorded at their deadline, with what they had.", func(s *Stats) uint64 { return s.TimedOut }},
	{"dwcp.telemetry.decisions.evicted", "{decision}", "Decisions recorded before their deadline, because too many were open.", func(s *Stats) uint64 { return s.Evicted }},
	{"dwcp.telemetry.misused", "{call}", "Calls on a pending decision that came twice or too late.", func(s *Stats) uint64 { return s.Misused }},
	{"dwcp.telemetry.panics", "{panic}", "Panics recovered in the background.", func(s *Stats) uint64 { return s.Panics }},
}

// shadowOutcomeKey tells the counts of shadow runs apart.
const shadowOutcomeKey = attribute.Key("dwcp.shadow.outcome")

// shadowCounts are the values of that attribute.
var shadowCounts = []struct {
	outcome string
	read    func(*ShadowStats) uint64
}{
	{"not_chosen", func(s *ShadowStats) uint64 { return s.NotChosen }},
	{"too_large", func(s *ShadowStats) uint64 { return s.TooLarge }},
	{"over_bytes", func(s *ShadowStats) uint64 { return s.OverBytes }},
	{"over_cpu", func(s *ShadowStats) uint64 { return s.OverCPU }},
	{"queue_full", func(s *ShadowStats) uint64 { return s.QueueFull }},
	{"completed", func(s *ShadowStats) uint64 { return s.Completed }},
	{"failed", func(s *ShadowStats) uint64 { return s.Failed }},
	{"panicked", func(s *ShadowStats) uint64 { return s.Panicked }},
	{"unfinished", func(s *ShadowStats) uint64 { return s.Unfinished }},
}

// registerCounts never unregisters them: a cumulative counter must keep its
// last value after Shutdown. The ring's memory is free by then.
func registerCounts(meter metric.Meter, stats func() Stats, report *reporter) error {
	instruments := make([]metric.Int64ObservableCounter, len(counters))
	var all []metric.Observable
	for i, c := range counters {
		counter, err := meter.Int64ObservableCounter(c.name, metric.WithUnit(c.unit), metric.WithDescription(c.description))
		if err != nil {
			return err
		}
		instruments[i], all = counter, append(all, counter)
	}
	open, err := meter.Int64ObservableUpDownCounter("dwcp.telemetry.decisions.open", metric.WithUnit("{decision}"),
		metric.WithDescription("Decisions begun and not yet recorded."))
	if err != nil {
		return err
	}
	shadow, err := meter.Int64ObservableCounter("dwcp.telemetry.shadow.decisions", metric.WithUnit("{decision}"),
		metric.WithDescription("Decisions for which a shadow run was asked, by what became of it."))
	if err != nil {
		return err
	}
	observeShadow := shadowObserver(shadow)
	_, err = meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		s := stats()
		report.guard("observe counts", func() {
			for i, c := range counters {
				o.ObserveInt64(instruments[i], int64(c.read(&s)))
			}
			o.ObserveInt64(open, int64(s.Open))
			observeShadow(o, &s.Shadow)
		})
		return nil
	}, append(all, open, shadow)...)
	return err
}

func shadowObserver(counter metric.Int64Observable) func(metric.Observer, *ShadowStats) {
	options := make([]metric.ObserveOption, len(shadowCounts))
	for i, c := range shadowCounts {
		options[i] = metric.WithAttributeSet(attribute.NewSet(shadowOutcomeKey.String(c.outcome)))
	}
	return func(o metric.Observer, s *ShadowStats) {
		for i, c := range shadowCounts {
			o.ObserveInt64(counter, int64(c.read(s)), options[i])
		}
	}
}
