package oraclelabel

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/processor/oraclelabel/internal/metadata"
)

// tally counts a batch, so that the metrics are touched once per batch and
// combination instead of once per decision.
type tally struct {
	labels  map[label]int64
	reasons map[decision.Reason]int64
	passed  int64 // without a label, for another oraclelabel
	dropped int64 // logs that are no decisions
}

type label struct {
	algorithm decision.Algorithm
	link      decision.LinkType
}

func (t *tally) labelled(d *decision.Decision) {
	if t.labels == nil {
		t.labels = map[label]int64{}
	}
	t.labels[label{d.OracleAlgorithm.Value, d.LinkType}]++
}

func (t *tally) refused(reason decision.Reason) {
	if t.reasons == nil {
		t.reasons = map[decision.Reason]int64{}
	}
	t.reasons[reason]++
}

func (t *tally) report(ctx context.Context, telemetry *metadata.TelemetryBuilder) {
	for l, n := range t.labels {
		telemetry.OraclelabelLabelled.Add(ctx, n, metric.WithAttributes(
			attribute.String("algorithm", string(l.algorithm)), attribute.String("link_type", string(l.link))))
	}
	for reason, n := range t.reasons {
		telemetry.OraclelabelRefused.Add(ctx, n, metric.WithAttributes(attribute.String("reason", string(reason))))
	}
	if t.passed > 0 {
		telemetry.OraclelabelPassed.Add(ctx, t.passed)
	}
	if t.dropped > 0 {
		telemetry.OraclelabelDropped.Add(ctx, t.dropped)
	}
}
