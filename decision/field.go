package decision

import (
	"time"
)

// Role says what a field may be used for.
type Role uint8

const (
	RoleIdentity   Role = iota + 1 // who and when; exported only when asked for
	RoleContext                    // known before the choice: a model's feature
	RolePrior                      // what was known of both arms before the choice: a model's feature
	RoleOutcome                    // what an algorithm cost: known only after it ran
	RoleActual                     // the way really used
	RoleLabel                      // what the oracle says
	RoleQuality                    // may this row be trained on
	RoleProvenance                 // how the row came about
	RoleRecording                  // by which Recorder; a replay changes it and nothing else
)

var roleNames = [...]string{
	RoleIdentity: "identity", RoleContext: "context", RolePrior: "prior", RoleOutcome: "outcome",
	RoleActual: "actual", RoleLabel: "label", RoleQuality: "quality", RoleProvenance: "provenance", RoleRecording: "recording",
}

func (r Role) String() string { return roleNames[r] }

// Place says where in a log record a field travels.
type Place uint8

const (
	Attribute       Place = iota // of the record
	ResourceAttr                 // of its resource
	RecordTimestamp              // the record's own timestamp
)

// Field is one row of the list: everything there is to know about one field.
type Field struct {
	Key      string // attribute key; "" for the timestamp
	Column   string
	SQLType  string // as format_type() spells it
	Unit     string // "" where there is none
	Meaning  string
	Kind     Kind
	Place    Place
	Role     Role
	Rule     Rule
	Required bool // NOT NULL in the table
	Late     bool // required, but filled in by the collector

	value      func(*Decision) (Value, bool)
	set        func(*Decision, Value) bool
	accept     func(*Decision, Value) Reason
	check      func(*Decision) (Reason, Value)
	appendCopy func([]byte, *Decision) []byte
}

// Name is the attribute key, or "timestamp" for the record's own.
func (f *Field) Name() string {
	if f.Place == RecordTimestamp {
		return f.Column
	}
	return f.Key
}

// Value returns the field's value in d; false where it is missing.
func (f *Field) Value(d *Decision) (Value, bool) { return f.value(d) }

// Decode stores a value into d. An int is taken where a double is expected and
// an empty optional text is a missing one; any other type is an error. Whether
// the rule holds is for Check to say.
func (f *Field) Decode(v Value, d *Decision) *FieldError {
	if f.set(d, v) {
		return nil
	}
	if f.Kind == KindID && v.kind == KindText {
		return f.problem(BadUUID, v.text, "must be a UUID")
	}
	return f.TypeError(v.kind.String())
}

// Accept is Decode and Check in one, for the hot path: it stores a value that
// has been read, and returns what is wrong with it.
func (f *Field) Accept(v Value, d *Decision) *FieldError {
	switch reason := f.accept(d, v); reason {
	case "":
		return nil
	case WrongType:
		return f.Decode(v, d)
	case Missing:
		if !f.Required {
			return nil
		}
		return f.MissingError()
	default:
		return f.problem(reason, v.String(), f.Rule.String())
	}
}

// Check returns what is wrong with the field in d, nil where nothing is.
func (f *Field) Check(d *Decision) *FieldError {
	reason, v := f.check(d)
	switch reason {
	case "":
		return nil
	case Missing:
		if !f.Required {
			return nil
		}
		return f.MissingError()
	}
	return f.problem(reason, v.String(), f.Rule.String())
}

// AppendCopy appends the field in PostgreSQL's binary COPY format: a length and
// the value, or -1 for NULL.
func (f *Field) AppendCopy(buf []byte, d *Decision) []byte { return f.appendCopy(buf, d) }

// late marks a field that the collector fills in before it is stored.
func (f Field) late() Field {
	f.Required, f.Late = true, true
	return f
}

// nullable marks a field that is always there in a Decision, but whose zero
// value is NULL in the table.
func (f Field) nullable() Field {
	f.Required = false
	return f
}

// resource marks a field that travels as an attribute of the resource.
func (f Field) resource() Field {
	f.Place = ResourceAttr
	return f
}

// codec is what the fields of one Go type have in common.
type codec[T any] struct {
	kind    Kind
	wrap    func(T) Value
	unwrap  func(Value) (T, bool)
	check   func(*Rule, T) Reason
	copyOne func([]byte, T) []byte
}

// required builds a field that is always there.
func required[T any](f Field, c codec[T], at func(*Decision) *T) Field {
	f.Required = true
	return build(f, c,
		func(d *Decision) (T, bool) { return *at(d), true },
		func(d *Decision, v T) { *at(d) = v })
}

// optional builds a field that may be missing.
func optional[T any](f Field, c codec[T], at func(*Decision) *Opt[T]) Field {
	return build(f, c,
		func(d *Decision) (T, bool) { o := at(d); return o.Value, o.Set },
		func(d *Decision, v T) { *at(d) = Opt[T]{Value: v, Set: true} })
}

func build[T any](f Field, c codec[T], load func(*Decision) (T, bool), store func(*Decision, T)) Field {
	f.Kind = c.kind
	rule := f.Rule
	f.value = func(d *Decision) (Value, bool) {
		v, ok := load(d)
		if !ok {
			return Value{}, false
		}
		w := c.wrap(v)
		return w, w.kind != 0
	}
	f.set = func(d *Decision, w Value) bool {
		v, ok := c.unwrap(w)
		if ok && (w.kind != KindText || w.text != "") {
			store(d, v)
		}
		return ok
	}
	f.accept = func(d *Decision, w Value) Reason {
		v, ok := c.unwrap(w)
		if !ok {
			return WrongType
		}
		if w.kind != KindText || w.text != "" {
			store(d, v)
		}
		return c.check(&rule, v)
	}
	f.check = func(d *Decision) (Reason, Value) {
		v, ok := load(d)
		if !ok {
			return Missing, Value{}
		}
		reason := c.check(&rule, v)
		if reason == "" {
			return "", Value{}
		}
		return reason, c.wrap(v)
	}
	f.appendCopy = func(buf []byte, d *Decision) []byte {
		v, ok := load(d)
		if !ok {
			return appendNull(buf)
		}
		return c.copyOne(buf, v)
	}
	return f
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
		unwrap: func(v Value) (T, bool) { return T(v.text), v.kind == KindText },
		check: func(r *Rule, s T) Reason {
			if s == "" {
				return Missing
			}
			return r.checkText(string(s))
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
	kind: KindFloat,
	wrap: FloatValue,
	unwrap: func(v Value) (float64, bool) {
		if v.kind == KindInt {
			return float64(v.Int()), true
		}
		return v.Float(), v.kind == KindFloat
	},
	check:   (*Rule).checkNumber,
	copyOne: appendFloat8,
}

var bigintCodec = codec[int64]{
	kind:    KindInt,
	wrap:    IntValue,
	unwrap:  func(v Value) (int64, bool) { return v.Int(), v.kind == KindInt },
	check:   (*Rule).checkInteger,
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
	unwrap:  func(v Value) (bool, bool) { return v.Bool(), v.kind == KindBool },
	check:   func(*Rule, bool) Reason { return "" },
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
	unwrap: func(v Value) (UUID, bool) {
		if v.kind != KindText {
			return UUID{}, false
		}
		id, err := ParseUUID(v.text)
		return id, err == nil
	},
	check: func(_ *Rule, id UUID) Reason {
		if id == (UUID{}) {
			return Missing
		}
		return ""
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
	unwrap: func(v Value) (time.Time, bool) { return v.Time(), v.kind == KindTime },
	check: func(_ *Rule, t time.Time) Reason {
		if t.IsZero() {
			return Missing
		}
		return ""
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
	unwrap:  func(v Value) (Flags, bool) { return v.Flags(), v.kind == KindFlagSet },
	check:   func(*Rule, Flags) Reason { return "" },
	copyOne: appendFlags,
}
