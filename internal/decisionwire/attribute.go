package decisionwire

import (
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/novacron/dwcp-telemetry/decision"
)

// Field numbers of opentelemetry/proto/common/v1/common.proto.
const (
	keyValueKey   = 1
	keyValueValue = 2

	anyString = 1
	anyBool   = 2
	anyInt    = 3
	anyDouble = 4
	anyArray  = 5

	arrayValues = 1
)

// attribute is what is the same each time of one field's attribute.
type attribute struct {
	field *decision.Field
	tag   []byte // of the KeyValue in its parent
	key   []byte // the key, as the first field of the KeyValue
	head  []byte // all that goes before a value whose size is fixed; else nil
}

// attributesOf are the fields that travel in one place, in the list's order.
func attributesOf(place decision.Place, parent protowire.Number) (attributes []attribute) {
	fields := decision.Fields()
	for i := range fields {
		if f := &fields[i]; f.Place == place {
			a := attribute{field: f, tag: protowire.AppendTag(nil, parent, protowire.BytesType), key: appendText(nil, keyValueKey, f.Key)}
			switch f.Kind {
			case decision.KindFloat:
				a.head = protowire.AppendTag(a.appendHead(nil, 1+protowire.SizeFixed64()), anyDouble, protowire.Fixed64Type)
			case decision.KindBool:
				a.head = protowire.AppendTag(a.appendHead(nil, 1+protowire.SizeVarint(1)), anyBool, protowire.VarintType)
			}
			attributes = append(attributes, a)
		}
	}
	return attributes
}

var (
	recordAttributes   = attributesOf(decision.Attribute, recordAttribute)
	resourceAttributes = attributesOf(decision.ResourceAttr, resourceAttribute)
)

// appendHead appends what goes before a value of that size.
func (a *attribute) appendHead(to []byte, size int) []byte {
	to = append(to, a.tag...)
	to = protowire.AppendVarint(to, uint64(len(a.key)+1+protowire.SizeBytes(size)))
	to = append(to, a.key...)
	to = protowire.AppendTag(to, keyValueValue, protowire.BytesType)
	return protowire.AppendVarint(to, uint64(size))
}

// append appends the attribute; nothing where its value is missing.
func (a *attribute) append(to []byte, d *decision.Decision) []byte {
	v, ok := a.field.Value(d)
	if !ok {
		return to
	}
	switch v.Kind() {
	case decision.KindFloat:
		return protowire.AppendFixed64(append(to, a.head...), math.Float64bits(v.Float()))
	case decision.KindBool:
		return protowire.AppendVarint(append(to, a.head...), protowire.EncodeBool(v.Bool()))
	case decision.KindInt:
		to = a.appendHead(to, 1+protowire.SizeVarint(uint64(v.Int())))
		return protowire.AppendVarint(protowire.AppendTag(to, anyInt, protowire.VarintType), uint64(v.Int()))
	case decision.KindFlagSet:
		names := v.Flags().Names()
		return appendArray(a.appendHead(to, 1+protowire.SizeBytes(sizeArray(names))), names)
	}
	return appendText(a.appendHead(to, sizeText(v.Text())), anyString, v.Text())
}

func sizeArray(texts []string) (size int) {
	for _, text := range texts {
		size += 1 + protowire.SizeBytes(sizeText(text))
	}
	return size
}

func appendArray(to []byte, texts []string) []byte {
	to = protowire.AppendTag(to, anyArray, protowire.BytesType)
	to = protowire.AppendVarint(to, uint64(sizeArray(texts)))
	for _, text := range texts {
		to = protowire.AppendTag(to, arrayValues, protowire.BytesType)
		to = protowire.AppendVarint(to, uint64(sizeText(text)))
		to = appendText(to, anyString, text)
	}
	return to
}
