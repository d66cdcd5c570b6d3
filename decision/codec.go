package decision

import "time"

// codec is what the fields of one Go type have in common.
type codec[T any] struct {
	kind    Kind
	wrap    func(T) Value
	check   func(*Rule, T) Reason
	take    func(*Rule, Value) (T, Reason) // what wrap was given, checked; WrongType where it is no T
	copyOne func([]byte, T) []byte
}

// ofKind is all there is to check of a value that no rule holds.
func ofKind(v Value, kind Kind) Reason {
	if v.kind != kind {
		return WrongType
	}
	return ""
}

// textCodec serves every string type. An empty text is a missing one.
func textCodec[T ~string]() codec[T] {
	return codec[T]{
		kind: KindText,
		wrap: func(s T) Value {
			if s == "" {
				return Value{}
			}
			return TextValue(string(s))
		},
		check: func(r *Rule, s T) Reason { return r.checkText(string(s)) },
		take: func(r *Rule, v Value) (T, Reason) {
			if v.kind != KindText {
				return "", WrongType
			}
			return T(v.text), r.checkText(v.text)
		},
		copyOne: func(buf []byte, s T) []byte {
			if s == "" {
				return appendNull(buf)
			}
			return appendText(buf, string(s))
		},
	}
}

var floatCodec = codec[float64]{
	kind:  KindFloat,
	wrap:  FloatValue,
	check: (*Rule).checkNumber,
	take: func(r *Rule, v Value) (float64, Reason) {
		f := v.Float()
		switch v.kind {
		case KindInt:
			f = float64(v.Int())
		case KindFloat:
		default:
			return 0, WrongType
		}
		return f, r.checkNumber(f)
	},
	copyOne: appendFloat8,
}

var bigintCodec = codec[int64]{
	kind:  KindInt,
	wrap:  IntValue,
	check: (*Rule).checkInteger,
	take: func(r *Rule, v Value) (int64, Reason) {
		if v.kind != KindInt {
			return 0, WrongType
		}
		return v.Int(), r.checkInteger(v.Int())
	},
	copyOne: appendInt8,
}

// integerCodec is for columns of 32 bits; the rule keeps the value inside.
var integerCodec = func() codec[int64] {
	c := bigintCodec
	c.copyOne = appendInt4
	return c
}()

var boolCodec = codec[bool]{
	kind:    KindBool,
	wrap:    BoolValue,
	check:   func(*Rule, bool) Reason { return "" },
	take:    func(_ *Rule, v Value) (bool, Reason) { return v.Bool(), ofKind(v, KindBool) },
	copyOne: appendBool,
}

var uuidCodec = codec[UUID]{
	kind: KindID,
	wrap: func(id UUID) Value {
		if id == (UUID{}) {
			return Value{}
		}
		return TextValue(id.String())
	},
	check: func(_ *Rule, id UUID) Reason {
		if id == (UUID{}) {
			return Missing
		}
		return ""
	},
	take: func(_ *Rule, v Value) (UUID, Reason) {
		if v.kind != KindText {
			return UUID{}, WrongType
		}
		id, err := ParseUUID(v.text)
		if err != nil {
			return UUID{}, WrongType
		}
		return id, ""
	},
	copyOne: appendUUID,
}

var timeCodec = codec[time.Time]{
	kind: KindTime,
	wrap: func(t time.Time) Value {
		if t.IsZero() {
			return Value{}
		}
		return TimeValue(t)
	},
	check: func(_ *Rule, t time.Time) Reason {
		if t.IsZero() {
			return Missing
		}
		return ""
	},
	take: func(_ *Rule, v Value) (time.Time, Reason) {
		t, reason := v.Time(), ofKind(v, KindTime)
		if reason == "" && t.IsZero() {
			reason = Missing
		}
		return t, reason
	},
	copyOne: appendTimestamptz,
}

var flagsCodec = codec[Flags]{
	kind: KindFlagSet,
	wrap: func(f Flags) Value {
		if f == 0 {
			return Value{}
		}
		return FlagsValue(f)
	},
	check:   func(*Rule, Flags) Reason { return "" },
	take:    func(_ *Rule, v Value) (Flags, Reason) { return v.Flags(), ofKind(v, KindFlagSet) },
	copyOne: appendFlags,
}
