package decisionlog

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/xpdata"

	"github.com/novacron/dwcp-telemetry/decision"
)

// Encode writes every field of d that travels in the record itself: event
// name, severity, timestamp and attributes. The record must be new.
func Encode(d *decision.Decision, record plog.LogRecord) {
	record.SetEventName(decision.EventName)
	record.SetSeverityNumber(plog.SeverityNumberInfo)
	record.SetSeverityText("INFO")
	if !d.Timestamp.IsZero() {
		record.SetTimestamp(pcommon.NewTimestampFromTime(d.Timestamp))
	}
	encodeFields(d, record.Attributes(), decision.Attribute)
}

// EncodeResource writes the fields of d that travel in the resource, which
// must be new.
func EncodeResource(d *decision.Decision, resource pcommon.Resource) {
	encodeFields(d, resource.Attributes(), decision.ResourceAttr)
}

// encodeFields fills an empty map. The builder appends, where the map's own
// PutX would search for each key again.
func encodeFields(d *decision.Decision, attributes pcommon.Map, place decision.Place) {
	fields := decision.Fields()
	builder := xpdata.MapBuilder{}
	builder.EnsureCapacity(len(fields))
	for i := range fields {
		if fields[i].Place != place {
			continue
		}
		if v, ok := fields[i].Value(d); ok {
			set(builder.AppendEmpty(fields[i].Key), v)
		}
	}
	builder.UnsafeIntoMap(attributes)
}

// Put writes the field's value in d into a record's attributes, replacing what
// is there; a missing value is removed.
func Put(f *decision.Field, d *decision.Decision, attributes pcommon.Map) {
	if v, ok := f.Value(d); ok {
		set(attributes.PutEmpty(f.Key), v)
	} else {
		attributes.Remove(f.Key)
	}
}

func set(to pcommon.Value, v decision.Value) {
	switch v.Kind() {
	case decision.KindInt:
		to.SetInt(v.Int())
	case decision.KindFloat:
		to.SetDouble(v.Float())
	case decision.KindBool:
		to.SetBool(v.Bool())
	case decision.KindFlagSet:
		names := to.SetEmptySlice()
		for _, name := range v.Flags().Names() {
			names.AppendEmpty().SetStr(name)
		}
	default:
		to.SetStr(v.Text())
	}
}
