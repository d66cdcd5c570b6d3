package decisionwire

import (
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/novacron/dwcp-telemetry/decision"
)

// Field numbers of opentelemetry/proto/logs/v1/logs.proto and of the request in
// opentelemetry/proto/collector/logs/v1/logs_service.proto.
const (
	requestResourceLogs = 1

	resourceLogsResource  = 1
	resourceLogsScopeLogs = 2
	resourceLogsSchemaURL = 3

	resourceAttribute = 1

	scopeLogsScope   = 1
	scopeLogsRecords = 2

	scopeName = 1

	recordTime           = 1
	recordSeverityNumber = 2
	recordSeverityText   = 3
	recordAttribute      = 6
	recordFlags          = 8
	recordTraceID        = 9
	recordSpanID         = 10
	recordObservedTime   = 11
	recordEventName      = 12

	severityInfo = 9
)

// Gaps for lengths: a record has 128 to 16,383 bytes, a request up to 2 MiB.
const (
	recordGap  = 2
	requestGap = 3
)

// Span is the trace context of a decision; its zero value is none.
type Span struct {
	TraceID [16]byte
	SpanID  [8]byte
	Flags   byte
}

// Text is an attribute of the resource that is none of the event's fields.
type Text struct{ Key, Value string }

// Request is an OTLP ExportLogsServiceRequest that is being written.
type Request struct {
	buf       []byte
	open      bool // a resource and its records
	resource  int  // where its length goes
	scope     int  // where that of its records goes
	schemaURL string
}

// NewRequest writes into buf, from its start.
func NewRequest(buf []byte) Request { return Request{buf: buf[:0]} }

// Resource begins the records of a resource: what d says of itself, then the
// others.
func (r *Request) Resource(scope, schemaURL string, d *decision.Decision, others []Text) {
	r.close()
	r.open, r.schemaURL = true, schemaURL
	r.buf, r.resource = open(r.buf, requestResourceLogs, requestGap)
	var at int
	r.buf, at = open(r.buf, resourceLogsResource, recordGap)
	for i := range resourceAttributes {
		r.buf = resourceAttributes[i].append(r.buf, d)
	}
	for _, other := range others {
		r.buf = appendOther(r.buf, other)
	}
	r.buf = end(r.buf, at, recordGap)
	r.buf, r.scope = open(r.buf, resourceLogsScopeLogs, requestGap)
	r.buf, at = open(r.buf, scopeLogsScope, recordGap)
	r.buf = appendText(r.buf, scopeName, scope)
	r.buf = end(r.buf, at, recordGap)
}

func appendOther(to []byte, other Text) []byte {
	size := sizeText(other.Value)
	to = protowire.AppendTag(to, resourceAttribute, protowire.BytesType)
	to = protowire.AppendVarint(to, uint64(sizeText(other.Key)+1+protowire.SizeBytes(size)))
	to = appendText(to, keyValueKey, other.Key)
	to = protowire.AppendTag(to, keyValueValue, protowire.BytesType)
	return appendText(protowire.AppendVarint(to, uint64(size)), anyString, other.Value)
}

// Record appends a decision to the resource begun last.
func (r *Request) Record(d *decision.Decision, observed time.Time, span Span) {
	to, at := open(r.buf, scopeLogsRecords, recordGap)
	if !d.Timestamp.IsZero() {
		to = appendTime(to, recordTime, d.Timestamp)
	}
	to = protowire.AppendVarint(protowire.AppendTag(to, recordSeverityNumber, protowire.VarintType), severityInfo)
	to = appendText(to, recordSeverityText, "INFO")
	for i := range recordAttributes {
		to = recordAttributes[i].append(to, d)
	}
	if span.Flags != 0 {
		to = protowire.AppendFixed32(protowire.AppendTag(to, recordFlags, protowire.Fixed32Type), uint32(span.Flags))
	}
	if span.TraceID != ([16]byte{}) {
		to = protowire.AppendBytes(protowire.AppendTag(to, recordTraceID, protowire.BytesType), span.TraceID[:])
	}
	if span.SpanID != ([8]byte{}) {
		to = protowire.AppendBytes(protowire.AppendTag(to, recordSpanID, protowire.BytesType), span.SpanID[:])
	}
	to = appendTime(to, recordObservedTime, observed)
	to = appendText(to, recordEventName, decision.EventName)
	r.buf = end(to, at, recordGap)
}

func appendTime(to []byte, field protowire.Number, t time.Time) []byte {
	return protowire.AppendFixed64(protowire.AppendTag(to, field, protowire.Fixed64Type), uint64(t.UnixNano()))
}

// Bytes ends the request and returns it. It is r's buffer, grown if need be.
func (r *Request) Bytes() []byte {
	r.close()
	return r.buf
}

func (r *Request) close() {
	if !r.open {
		return
	}
	r.open = false
	r.buf = end(r.buf, r.scope, requestGap)
	if r.schemaURL != "" {
		r.buf = appendText(r.buf, resourceLogsSchemaURL, r.schemaURL)
	}
	r.buf = end(r.buf, r.resource, requestGap)
}
