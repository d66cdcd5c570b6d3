package decision

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
	if f.accept(d, v) != WrongType {
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

// required builds a field that is always there. What each decision passes
// through twice, accept and appendCopy, calls at itself: each call of a function
// that the compiler cannot see costs as much as the rest of it.
func required[T any](f Field, c codec[T], at func(*Decision) *T) Field {
	f.Required = true
	f = build(f, c, func(d *Decision) (T, bool) { return *at(d), true })
	rule, take, copyOne := f.Rule, c.take, c.copyOne
	f.accept = func(d *Decision, w Value) Reason {
		v, reason := take(&rule, w)
		if stored(w, reason) {
			*at(d) = v
		}
		return reason
	}
	f.appendCopy = func(buf []byte, d *Decision) []byte { return copyOne(buf, *at(d)) }
	return f
}

// optional builds a field that may be missing.
func optional[T any](f Field, c codec[T], at func(*Decision) *Opt[T]) Field {
	f = build(f, c, func(d *Decision) (T, bool) { o := at(d); return o.Value, o.Set })
	rule, take, copyOne := f.Rule, c.take, c.copyOne
	f.accept = func(d *Decision, w Value) Reason {
		v, reason := take(&rule, w)
		if stored(w, reason) {
			*at(d) = Opt[T]{Value: v, Set: true}
		}
		return reason
	}
	f.appendCopy = func(buf []byte, d *Decision) []byte {
		if o := at(d); o.Set {
			return copyOne(buf, o.Value)
		}
		return appendNull(buf)
	}
	return f
}

// stored reports whether a value goes into the decision: also one that breaks
// the rule does, so that it can be shown.
func stored(w Value, reason Reason) bool {
	return reason != WrongType && (w.kind != KindText || w.text != "")
}

func build[T any](f Field, c codec[T], load func(*Decision) (T, bool)) Field {
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
	return f
}
