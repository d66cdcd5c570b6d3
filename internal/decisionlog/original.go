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
// else, and not the label, which can be made again.
//
// The digest is the SHA-256 of the same without the Recorder's id, sequence and
// sampling ratio: whoever sends the same event again, the digest is the same.
func Original(resource pcommon.Resource, record plog.LogRecord, vm VMIDs) (data []byte, digest [sha256.Size]byte, err error) {
	logs := plog.NewLogs()
	to := logs.ResourceLogs().AppendEmpty()
	resource.Attributes().CopyTo(to.Resource().Attributes())
	keepListed(to.Resource().Attributes(), decision.ResourceAttr)
	copied := to.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	record.CopyTo(copied)
	KeepListed(copied)
	copied.SetObservedTimestamp(0)
	copied.Attributes().RemoveIf(func(key string, v pcommon.Value) bool {
		return hasRole(key, decision.RoleLabel) || key == vmIDKey && !vm.keeps(v.AsString())
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

// VMIDs says which VM ids an original may hold.
type VMIDs uint8

const (
	KeepNoVMID     VMIDs = iota // not even what looks like a pseudonym: raw ids may look so
	KeepPseudonyms              // what looks like one, where its key id says it is
	KeepAnyVMID
)

func (v VMIDs) keeps(id string) bool {
	return v == KeepAnyVMID || v == KeepPseudonyms && decision.IsPseudonym(id)
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
