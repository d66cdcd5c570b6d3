package instrumentation

import (
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/internal/decisionwire"
)

// maxTextBytes bounds the texts of one request. A collector takes 4 MiB unless
// told otherwise and answers more with an error that looks like "try later".
// 512 decisions without their texts are under 1 MiB.
const maxTextBytes = 1 << 20

// encoder makes OTLP of decisions.
type encoder struct {
	schemaURL  string
	attributes []attribute.KeyValue // of the resource
	bytes      int                  // of their texts
}

func newEncoder(res *resource.Resource) encoder {
	c := encoder{schemaURL: res.SchemaURL(), attributes: res.Attributes()}
	for _, a := range c.attributes {
		c.bytes += len(a.Key) + len(a.Value.String())
	}
	return c
}

// encode makes one request of the first of the entries, in buf, and returns how
// many: fewer than all where their texts are long, none where the first one
// alone has more than maxTextBytes.
func (c *encoder) encode(buf []byte, entries []entry) ([]byte, int) {
	request := decisionwire.NewRequest(buf)
	observed := time.Now()
	bytes := 0
	for i := range entries {
		e := &entries[i]
		ownResource := i == 0 || !sameResource(&e.decision, &entries[i-1].decision)
		if bytes += textBytes(&e.decision); ownResource {
			bytes += c.bytes
		}
		if bytes > maxTextBytes {
			return request.Bytes(), i
		}
		if ownResource {
			request.Resource(scopeName, c.schemaURL, &e.decision, c.others(&e.decision))
		}
		request.Record(&e.decision, observed, decisionwire.Span{TraceID: e.traceID, SpanID: e.spanID, Flags: byte(e.flags)})
		breathe(i)
	}
	return request.Bytes(), len(entries)
}

func sameResource(a, b *decision.Decision) bool {
	return a.Environment == b.Environment && a.EmitterVersion == b.EmitterVersion
}

// others are the attributes that the environment gives the resource: what the
// decision says of itself goes before them.
func (c *encoder) others(d *decision.Decision) (others []decisionwire.Text) {
	for _, a := range c.attributes {
		if i, listed := decision.Index(string(a.Key)); listed {
			if _, set := decision.Fields()[i].Value(d); set {
				continue
			}
		}
		others = append(others, decisionwire.Text{Key: string(a.Key), Value: a.Value.String()})
	}
	return others
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
