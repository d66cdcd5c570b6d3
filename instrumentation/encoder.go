package instrumentation

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/sdk/resource"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/internal/decisionlog"
)

// maxTextBytes bounds the texts of one request. A collector takes 4 MiB unless
// told otherwise and answers more with an error that looks like "try later".
// 512 decisions without their texts are under 1 MiB.
const maxTextBytes = 1 << 20

// encoder makes OTLP of decisions.
type encoder struct {
	resource *resource.Resource
}

// encode makes one request's logs of the first of the entries, and returns how
// many: fewer than all where their texts are long, none where the first one
// alone has more than maxTextBytes.
func (c *encoder) encode(entries []entry) (plog.Logs, int) {
	logs := plog.NewLogs()
	observed := pcommon.NewTimestampFromTime(time.Now())
	var records plog.LogRecordSlice
	bytes := 0
	for i := range entries {
		e := &entries[i]
		if bytes += textBytes(&e.decision); bytes > maxTextBytes {
			return logs, i
		}
		if i == 0 || !sameResource(&e.decision, &entries[i-1].decision) {
			records = c.appendResource(logs, &e.decision)
			records.EnsureCapacity(len(entries) - i)
		}
		record := records.AppendEmpty()
		decisionlog.Encode(&e.decision, record)
		record.SetObservedTimestamp(observed)
		record.SetTraceID(pcommon.TraceID(e.traceID))
		record.SetSpanID(pcommon.SpanID(e.spanID))
		record.SetFlags(plog.LogRecordFlags(e.flags))
	}
	return logs, len(entries)
}

func sameResource(a, b *decision.Decision) bool {
	return a.Environment == b.Environment && a.EmitterVersion == b.EmitterVersion
}

// appendResource starts the records of one resource: what the decision says of
// itself goes before what the environment says.
func (c *encoder) appendResource(logs plog.Logs, d *decision.Decision) plog.LogRecordSlice {
	to := logs.ResourceLogs().AppendEmpty()
	to.SetSchemaUrl(c.resource.SchemaURL())
	decisionlog.EncodeResource(d, to.Resource())
	attributes := to.Resource().Attributes()
	for _, attribute := range c.resource.Attributes() {
		if _, set := attributes.Get(string(attribute.Key)); !set {
			attributes.PutStr(string(attribute.Key), attribute.Value.String())
		}
	}
	scope := to.ScopeLogs().AppendEmpty()
	scope.Scope().SetName(scopeName)
	return scope.LogRecords()
}

// textFields are the fields whose length is up to the caller.
var textFields = func() (indexes []int) {
	for i, f := range decision.Fields() {
		if f.Kind == decision.KindText {
			indexes = append(indexes, i)
		}
	}
	return indexes
}()

func textBytes(d *decision.Decision) (bytes int) {
	fields := decision.Fields()
	for _, i := range textFields {
		v, _ := fields[i].Value(d)
		bytes += len(v.Text())
	}
	return bytes
}
