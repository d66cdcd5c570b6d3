package instrumentation

import (
	"context"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/trace"

	"github.com/novacron/dwcp-telemetry/decision"
)

// providerSink hands decisions to a log.LoggerProvider. What that has taken
// counts as sent.
type providerSink struct {
	logger     log.Logger
	ledger     *ledger
	report     *reporter
	attributes []attribute.KeyValue // of one record; used again for the next
}

func (s *providerSink) ready(ctx context.Context) bool { return ctx.Err() == nil }
func (s *providerSink) hurry()                         {}
func (s *providerSink) close()                         {}

func (s *providerSink) deliver(position uint64, entries []entry) int {
	s.ledger.begin(position, len(entries))
	sent := 0
	for i := range entries {
		if s.report.guard("emit a decision", func() { s.emit(&entries[i]) }) {
			sent++
		}
	}
	s.ledger.settle(position, sent, len(entries)-sent)
	return len(entries)
}

func (s *providerSink) emit(e *entry) {
	var record log.Record
	record.SetEventName(decision.EventName)
	record.SetSeverity(log.SeverityInfo)
	record.SetSeverityText("INFO")
	record.SetTimestamp(e.decision.Timestamp)
	s.attributes = appendAttributes(s.attributes[:0], &e.decision)
	record.AddAttributes(s.attributes...)
	s.logger.Emit(e.context(), record)
}

// context carries the span that the decision was recorded in, as the log API
// wants it.
func (e *entry) context() context.Context {
	span := trace.NewSpanContext(trace.SpanContextConfig{TraceID: e.traceID, SpanID: e.spanID, TraceFlags: e.flags})
	if !span.IsValid() {
		return context.Background()
	}
	return trace.ContextWithSpanContext(context.Background(), span)
}

// appendAttributes appends every field of d that travels as an attribute of
// the record.
func appendAttributes(to []attribute.KeyValue, d *decision.Decision) []attribute.KeyValue {
	fields := decision.Fields()
	for i := range fields {
		if fields[i].Place != decision.Attribute {
			continue
		}
		if v, ok := fields[i].Value(d); ok {
			to = append(to, attribute.KeyValue{Key: attribute.Key(fields[i].Key), Value: attributeValue(v)})
		}
	}
	return to
}

func attributeValue(v decision.Value) attribute.Value {
	switch v.Kind() {
	case decision.KindInt:
		return attribute.Int64Value(v.Int())
	case decision.KindFloat:
		return attribute.Float64Value(v.Float())
	case decision.KindBool:
		return attribute.BoolValue(v.Bool())
	case decision.KindFlagSet:
		return attribute.StringSliceValue(v.Flags().Names())
	default:
		// Stock exporters lose a whole batch over one text that is no UTF-8.
		return attribute.StringValue(strings.ToValidUTF8(v.Text(), "\uFFFD"))
	}
}
