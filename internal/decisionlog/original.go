package decisionlog

import (
	"fmt"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/novacron/dwcp-telemetry/decision"
)

// Original returns a decision as OTLP protobuf (LogsData with one record):
// timestamp, trace context and the listed attributes as they came, nothing
// else, and not the label, which can be made again. The same event gives the
// same bytes each time it is sent. A VM id that is no pseudonym is left out
// unless raw ones are allowed.
func Original(resource pcommon.Resource, record plog.LogRecord, allowRawVMID bool) ([]byte, error) {
	logs := plog.NewLogs()
	to := logs.ResourceLogs().AppendEmpty()
	resource.Attributes().CopyTo(to.Resource().Attributes())
	keepListed(to.Resource().Attributes(), decision.ResourceAttr)
	copied := to.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	record.CopyTo(copied)
	KeepListed(copied)
	copied.Attributes().RemoveIf(func(key string, v pcommon.Value) bool {
		return isLabel(key) || !allowRawVMID && key == vmIDKey && !decision.IsPseudonym(v.AsString())
	})
	copied.SetObservedTimestamp(0)
	data, err := (&plog.ProtoMarshaler{}).MarshalLogs(logs)
	if err != nil {
		return nil, fmt.Errorf("marshal the original of a decision: %w", err)
	}
	return data, nil
}

var vmIDKey = decision.Column("vm_id").Key

func isLabel(key string) bool {
	i, ok := decision.Index(key)
	return ok && decision.Fields()[i].Role == decision.RoleLabel
}

// KeepListed removes from a decision's record all that is not part of the
// event: unlisted attributes, the body, the severity's own text.
func KeepListed(record plog.LogRecord) {
	keepListed(record.Attributes(), decision.Attribute)
	pcommon.NewValueEmpty().CopyTo(record.Body())
	record.SetSeverityText("INFO")
	record.SetSeverityNumber(plog.SeverityNumberInfo)
}

func keepListed(attributes pcommon.Map, place decision.Place) {
	attributes.RemoveIf(func(key string, _ pcommon.Value) bool {
		i, ok := decision.Index(key)
		return !ok || decision.Fields()[i].Place != place
	})
}
