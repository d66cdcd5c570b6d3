package decisionlog

import (
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/novacron/dwcp-telemetry/decision"
)

// Description is an original for a person to read.
type Description struct {
	Timestamp  time.Time            `json:"timestamp,omitzero"`
	TraceID    string               `json:"trace_id,omitempty"` // hex
	SpanID     string               `json:"span_id,omitempty"`
	Attributes []DescribedAttribute `json:"attributes"`
	// Problems are the rules that the decision itself breaks, each with its
	// field; the table may have others. Unknown, and so empty, for one that was cut.
	Problems []string `json:"problems,omitempty"`
	// Cut is whether it ends before its end.
	Cut bool `json:"cut"`
}

// DescribedAttribute is an attribute of the record or its resource.
type DescribedAttribute struct {
	Key  string `json:"key"`
	Type string `json:"type"` // string, bool, int, double, bytes, array, map or empty
	// Value is what JSON and a terminal can show: texts in quotes with NUL, control
	// characters and what is no UTF-8 escaped, bytes in hex.
	Value   string `json:"value"`
	Problem string `json:"problem,omitempty"`
	Cut     bool   `json:"cut,omitempty"`
}

// Describe reads an original that may be cut anywhere, or be no OTLP at all: it
// tells what it can and never fails. It does not go by pdata, which reads all of
// a message or none.
func Describe(original []byte) Description {
	d := Description{Attributes: []DescribedAttribute{}}
	d.Cut = walk(original, messages{1: func(resourceLogs []byte) { // LogsData
		walk(resourceLogs, messages{
			1: func(resource []byte) { walk(resource, messages{1: d.attribute}, nil) },
			2: func(scopeLogs []byte) { walk(scopeLogs, messages{2: d.record}, nil) },
		}, nil)
	}}, nil)
	if !d.Cut {
		d.judge(original)
	}
	return d
}

func (d *Description) record(data []byte) {
	walk(data, messages{
		6:  d.attribute,
		9:  func(id []byte) { d.TraceID = hex.EncodeToString(id) },
		10: func(id []byte) { d.SpanID = hex.EncodeToString(id) },
	}, func(number protowire.Number, value uint64) {
		if number == 1 && value > 0 && value <= math.MaxInt64 {
			d.Timestamp = time.Unix(0, int64(value)).UTC()
		}
	})
}

func (d *Description) attribute(data []byte) {
	d.Attributes = append(d.Attributes, describePair(data, 0))
}

// describePair reads a KeyValue of OTLP.
func describePair(data []byte, depth int) DescribedAttribute {
	a := DescribedAttribute{Type: "empty"}
	var cut bool
	a.Cut = walk(data, messages{
		1: func(key []byte) { a.Key = string(key) },
		2: func(value []byte) { a.Type, a.Value, cut = describeValue(value, depth) },
	}, nil) || cut
	return a
}

// judge holds a whole original to the rules of the event.
func (d *Description) judge(original []byte) {
	logs, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(original)
	if err != nil || logs.LogRecordCount() != 1 {
		return
	}
	var decoder Decoder
	var into decision.Decision
	resource := logs.ResourceLogs().At(0)
	decoder.Resource(resource.Resource())
	for _, problem := range decoder.Decode(resource.ScopeLogs().At(0).LogRecords().At(0), Emitted, &into) {
		d.Problems = append(d.Problems, problem.Error())
		for i := range d.Attributes {
			if d.Attributes[i].Key == problem.Key {
				d.Attributes[i].Problem = problem.Rule
			}
		}
	}
}

// messages say what to do with fields of a message that have a length.
type messages map[protowire.Number]func([]byte)

// walk goes through a protobuf message as far as it can be read, and reports
// whether it ends too early. Of a field that is cut it passes on what is there.
func walk(data []byte, nested messages, fixed func(protowire.Number, uint64)) (cut bool) {
	for len(data) > 0 {
		number, kind, n := protowire.ConsumeTag(data)
		if n < 0 {
			return true
		}
		data = data[n:]
		if kind == protowire.BytesType {
			length, n := protowire.ConsumeVarint(data)
			if n < 0 {
				return true
			}
			data = data[n:]
			short := length > uint64(len(data))
			field := data[:min(length, uint64(len(data)))]
			if visit := nested[number]; visit != nil {
				visit(field)
			}
			if short {
				return true
			}
			data = data[length:]
			continue
		}
		value, n := consumeNumber(number, kind, data)
		if n < 0 {
			return true
		}
		if fixed != nil {
			fixed(number, value)
		}
		data = data[n:]
	}
	return false
}

func consumeNumber(number protowire.Number, kind protowire.Type, data []byte) (value uint64, n int) {
	switch kind {
	case protowire.VarintType:
		return protowire.ConsumeVarint(data)
	case protowire.Fixed64Type:
		return protowire.ConsumeFixed64(data)
	}
	return 0, protowire.ConsumeFieldValue(number, kind, data)
}

// maxDepth is how far values in values are shown; the event has none at all.
const maxDepth = 8

// describeValue reads an AnyValue of OTLP.
func describeValue(data []byte, depth int) (kind, text string, cut bool) {
	kind = "empty"
	if depth > maxDepth {
		return kind, "…", false
	}
	say := func(k, t string) { kind, text = k, t }
	cut = walk(data, messages{
		1: func(s []byte) { say("string", strconv.Quote(string(s))) },
		5: func(array []byte) {
			var values []string
			cut = walk(array, messages{1: func(v []byte) {
				_, one, _ := describeValue(v, depth+1)
				values = append(values, one)
			}}, nil) || cut
			say("array", "["+strings.Join(values, ", ")+"]")
		},
		6: func(list []byte) {
			var pairs []string
			cut = walk(list, messages{1: func(pair []byte) {
				one := describePair(pair, depth+1)
				pairs = append(pairs, strconv.Quote(one.Key)+": "+one.Value)
			}}, nil) || cut
			say("map", "{"+strings.Join(pairs, ", ")+"}")
		},
		7: func(bytes []byte) { say("bytes", "0x"+hex.EncodeToString(bytes)) },
	}, func(number protowire.Number, value uint64) {
		switch number {
		case 2:
			say("bool", strconv.FormatBool(value != 0))
		case 3:
			say("int", strconv.FormatInt(int64(value), 10))
		case 4:
			say("double", describeFloat(math.Float64frombits(value)))
		}
	}) || cut
	return kind, text, cut
}

// describeFloat tells a double from an int by its point, and shows the bits of a
// NaN, of which there are many.
func describeFloat(f float64) string {
	switch text := strconv.FormatFloat(f, 'g', -1, 64); {
	case math.IsNaN(f):
		return fmt.Sprintf("NaN (0x%016x)", math.Float64bits(f))
	case strings.ContainsAny(text, ".eI"):
		return text
	default:
		return text + ".0"
	}
}
