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
func Original(resource pcommon.Resource, record plog.LogRecord, vm VMIDs) (data []byte, digest [sha256.Size]byte) {
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
	data = marshal(logs)
	copied.Attributes().RemoveIf(func(key string, _ pcommon.Value) bool { return hasRole(key, decision.RoleRecording) })
	return data, sha256.Sum256(marshal(logs))
}

// OriginalOf is Original for a decision that was decoded and found to be valid.
func OriginalOf(d *decision.Decision, trace *Trace, vm VMIDs) (data []byte, digest [sha256.Size]byte) {
	resource, record := pcommon.NewResource(), plog.NewLogRecord()
	EncodeResource(d, resource)
	Encode(d, record)
	if trace != nil {
		record.SetTraceID(trace.TraceID)
		record.SetSpanID(trace.SpanID)
		record.SetFlags(plog.LogRecordFlags(trace.Flags))
	}
	return Original(resource, record, vm)
}

// Trace is the trace context of a record.
type Trace struct {
	TraceID [16]byte
	SpanID  [8]byte
	Flags   uint32
}

// TraceOf returns a record's trace context, nil where it has none.
func TraceOf(record plog.LogRecord) *Trace {
	if record.TraceID().IsEmpty() && record.SpanID().IsEmpty() && record.Flags() == 0 {
		return nil
	}
	return &Trace{record.TraceID(), record.SpanID(), uint32(record.Flags())}
}

// marshal panics on an error, which MarshalLogs returns for its interface's
// sake only: the digest of nothing would make all refused decisions one.
func marshal(logs plog.Logs) []byte {
	data, err := (&plog.ProtoMarshaler{}).MarshalLogs(logs)
	if err != nil {
		panic(fmt.Sprintf("decisionlog: marshal the original of a decision: %v", err))
	}
	return data
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

// holdsMore reports whether a record, its attributes apart, holds what
// KeepListed removes.
func holdsMore(record plog.LogRecord) bool {
	return record.Body().Type() != pcommon.ValueTypeEmpty || record.SeverityText() != "INFO" || record.SeverityNumber() != plog.SeverityNumberInfo
}

func keepListed(attributes pcommon.Map, place decision.Place) {
	attributes.RemoveIf(func(key string, _ pcommon.Value) bool {
		i, ok := decision.Index(key)
		return !ok || decision.Fields()[i].Place != place
	})
}
