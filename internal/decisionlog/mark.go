package decisionlog

import (
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/novacron/dwcp-telemetry/decision"
)

// Attributes by which the processor tells the exporter that a decision is
// invalid. They are not part of the event: an emitter's own are removed.
const (
	reasonKey = "dwcp.rejected.reason"
	fieldKey  = "dwcp.rejected.field"
	ruleKey   = "dwcp.rejected.rule"
	valueKey  = "dwcp.rejected.value"
)

// Mark writes why a decision is refused into its record.
func Mark(record plog.LogRecord, problem *decision.FieldError) {
	attributes := record.Attributes()
	attributes.PutStr(reasonKey, string(problem.Reason))
	attributes.PutStr(fieldKey, problem.Key)
	attributes.PutStr(ruleKey, problem.Rule)
	attributes.PutStr(valueKey, problem.Value)
}

// markOf returns the mark of a record that has one; none where its reason is
// unknown.
func markOf(record plog.LogRecord) []*decision.FieldError {
	text := func(key string) string {
		v, ok := record.Attributes().Get(key)
		if !ok {
			return ""
		}
		return v.AsString()
	}
	reason := decision.Reason(text(reasonKey))
	if !reason.Known() {
		return nil
	}
	return []*decision.FieldError{{Reason: reason, Key: text(fieldKey), Rule: text(ruleKey), Value: text(valueKey)}}
}
