package decisionlog

import (
	"crypto/sha256"
	"fmt"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/novacron/dwcp-telemetry/decision"
)

// Original returns a decision as OTLP protobuf (LogsData with one record):
// timestamp, trace context and the listed attributes as they came, nothing
// else, and not the label, which can be made again. A VM id that is no
// pseudonym is left out unless raw ones are allowed.
//
// The digest is the SHA-256 of the same without the Recorder's id, sequence and
// sampling ratio: whoever sends the same event again, the digest is the same.
func Original(resource pcommon.Resource, record plog.LogRecord, allowRawVMID bool) (data []byte, digest [sha256.Size]byte, err error) {
	logs := plog.NewLogs()
	to := logs.ResourceLogs().AppendEmpty()
	resource.Attributes().CopyTo(to.Resource().Attributes())
	keepListed(to.Resource().Attributes(), decision.ResourceAttr)
	copied := to.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	record.CopyTo(copied)
	KeepListed(copied)
	copied.SetObservedTimestamp(0)
	copied.Attributes().RemoveIf(func(key string, v pcommon.Value) bool {
		return hasRole(key, decision.RoleLabel) || !allowRawVMID && key == vmIDKey && !decision.IsPseudonym(v.AsString())
	})
	if data, err = marshal(logs); err != nil {
		return nil, digest, err
	}
	copied.Attributes().RemoveIf(func(key string, _ pcommon.Value) bool { return hasRole(key, decision.RoleRecording) })
	content, err := marshal(logs)
	return data, sha256.Sum256(content), err
}

func marshal(logs plog.Logs) ([]byte, error) {
	data, err := (&plog.ProtoMarshaler{}).MarshalLogs(logs)
	if err != nil {
		return nil, fmt.Errorf("marshal the original of a decision: %w", err)
	}
	return data, nil
}

var vmIDKey = decision.Column("vm_id").Key

func hasRole(key string, role decision.Role) bool {
	i, ok := decision.Index(key)
	return ok && decision.Fields()[i].Role == role
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
