package decisionlog

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
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

// markOf returns the mark of a record that has one; none where it is not one
// that Mark writes.
func markOf(record plog.LogRecord) []*decision.FieldError {
	text := func(key string) string {
		v, ok := record.Attributes().Get(key)
		if !ok || v.Type() != pcommon.ValueTypeStr || len(v.Str()) > maxMark || strings.Contains(v.Str(), "\x00") {
			return ""
		}
		return strings.ToValidUTF8(v.Str(), "")
	}
	mark := &decision.FieldError{Reason: decision.Reason(text(reasonKey)), Key: text(fieldKey), Rule: text(ruleKey), Value: text(valueKey)}
	if _, listed := decision.Index(mark.Key); !listed || !mark.Reason.OfProcessor() {
		return nil
	}
	return []*decision.FieldError{mark}
}

// maxMark is longer than any text of a mark.
const maxMark = 512
