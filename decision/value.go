package decision

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Kind is the type of a field's value.
type Kind uint8

const (
	KindText  Kind = iota + 1
	KindInt        // 64-bit signed
	KindFloat      // 64-bit IEEE 754
	KindBool
	KindID   // a UUID, text on the wire
	KindTime // microseconds UTC, the record's own timestamp on the wire
	KindFlagSet
)

var kindNames = [...]string{
	KindText: "string", KindInt: "int", KindFloat: "double", KindBool: "bool",
	KindID: "string", KindTime: "record timestamp", KindFlagSet: "string[]",
}

func (k Kind) String() string { return kindNames[k] }

// Value is one field's value without boxing: what is read from or written to a
// log attribute, a CSV cell or a JSON member.
type Value struct {
	kind Kind
	text string
	bits uint64
}

func TextValue(s string) Value    { return Value{kind: KindText, text: s} }
func IntValue(i int64) Value      { return Value{kind: KindInt, bits: uint64(i)} }
func FloatValue(f float64) Value  { return Value{kind: KindFloat, bits: math.Float64bits(f)} }
func FlagsValue(f Flags) Value    { return Value{kind: KindFlagSet, bits: uint64(f)} }
func TimeValue(t time.Time) Value { return Value{kind: KindTime, bits: uint64(t.UnixMicro())} }
func BoolValue(b bool) (v Value) {
	v.kind = KindBool
	if b {
		v.bits = 1
	}
	return v
}

func (v Value) Kind() Kind      { return v.kind }
func (v Value) Text() string    { return v.text }
func (v Value) Int() int64      { return int64(v.bits) }
func (v Value) Float() float64  { return math.Float64frombits(v.bits) }
func (v Value) Bool() bool      { return v.bits != 0 }
func (v Value) Flags() Flags    { return Flags(v.bits) }
func (v Value) Time() time.Time { return time.UnixMicro(int64(v.bits)).UTC() }

// String returns the form that ParseValue reads: shortest exact numbers, times
// in RFC 3339 with microseconds, flags joined by commas.
func (v Value) String() string {
	switch v.kind {
	case KindInt:
		return strconv.FormatInt(v.Int(), 10)
	case KindFloat:
		return strconv.FormatFloat(v.Float(), 'g', -1, 64)
	case KindBool:
		return strconv.FormatBool(v.Bool())
	case KindFlagSet:
		return v.Flags().String()
	case KindTime:
		return v.Time().Format("2006-01-02T15:04:05.000000Z")
	default:
		return v.text
	}
}

// ParseValue reads a value of that kind from text. Whether the field's rule
// accepts the value is for Check to say: "NaN" is a float here.
func ParseValue(kind Kind, s string) (Value, error) {
	switch kind {
	case KindInt:
		i, err := strconv.ParseInt(s, 10, 64)
		return IntValue(i), err
	case KindFloat:
		f, err := strconv.ParseFloat(s, 64)
		return FloatValue(f), err
	case KindBool:
		switch s {
		case "true", "false":
			return BoolValue(s == "true"), nil
		}
		return Value{}, fmt.Errorf("%q is neither true nor false", s)
	case KindTime:
		t, err := time.Parse(time.RFC3339Nano, s)
		return TimeValue(t), err
	case KindFlagSet:
		return parseFlags(s)
	default:
		return TextValue(s), nil
	}
}

func parseFlags(s string) (Value, error) {
	var flags Flags
	for name := range strings.SplitSeq(s, ",") {
		if name == "" {
			continue
		}
		flag, ok := FlagNamed(name)
		if !ok {
			return Value{}, fmt.Errorf("no flag is named %q", name)
		}
		flags |= flag
	}
	return FlagsValue(flags), nil
}
