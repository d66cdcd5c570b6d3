package decisionlog

import (
	"math/bits"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/novacron/dwcp-telemetry/decision"
)

// Stage says which fields a record must hold.
type Stage uint8

const (
	Emitted Stage = iota // as the Recorder sends it: no label yet
	Stored               // as the table takes it
)

// IsDecision reports whether a log record is a decision at all.
func IsDecision(record plog.LogRecord) bool { return record.EventName() == decision.EventName }

// Decoder reads decisions from log records in one pass over their attributes.
// Emitters write the attributes in the same order every time, so it first tries
// the field seen last at the same position: about a fifth of the cost of a
// lookup by key for each field. A Decoder serves one goroutine.
type Decoder struct {
	base         decision.Decision // what the resource says
	baseSeen     fieldSet
	baseBad      fieldSet
	baseProblems []*decision.FieldError
	hints        []hint // by position: the attribute seen there last
	foreign      bool
}

// hint is an attribute's key, beside it and not in the list so that comparing
// the keys of a record reads little memory, and its field.
type hint struct {
	key   string
	field int
}

// fieldSet has a bit per field of decision.Fields.
type fieldSet uint64

func (s fieldSet) has(field int) bool { return s&(1<<field) != 0 }
func (s *fieldSet) add(field int)     { *s |= 1 << field }

// Resource reads the fields that travel in the resource; they hold for every
// record decoded until the next call.
func (c *Decoder) Resource(resource pcommon.Resource) {
	p := pass{d: &c.base}
	*p.d = decision.Decision{}
	for key, v := range resource.Attributes().All() {
		if i, ok := decision.Index(key); ok && decision.Fields()[i].Place == decision.ResourceAttr {
			p.attribute(i, v)
		}
	}
	c.baseSeen, c.baseBad, c.baseProblems = p.seen, p.bad, p.problems
}

// Decode reads a record into d and returns what is wrong with it: nil where
// all that the stage asks for is there and every rule holds. Of a record that
// Mark has marked the first is its mark, once it may be stored.
func (c *Decoder) Decode(record plog.LogRecord, stage Stage, d *decision.Decision) []*decision.FieldError {
	*d = c.base
	p := pass{d: d, seen: c.baseSeen, bad: c.baseBad, required: required}
	if stage == Emitted {
		p.ignored, p.required = filledIn, required&^filledIn
	}
	p.problems = append(p.problems, c.baseProblems...)
	if ts := record.Timestamp(); ts != 0 {
		d.Timestamp = time.UnixMicro(int64(ts / 1000)).UTC()
		p.seen.add(timestampField)
	}
	c.foreign = holdsMore(record)
	marked, position := false, 0
	for key, v := range record.Attributes().All() {
		switch i, ok := c.fieldAt(position, key); {
		case ok:
			p.attribute(i, v)
		case key == reasonKey && stage == Stored:
			marked = true
		default:
			c.foreign = true
		}
		position++
	}
	p.miss()
	if marked {
		return append(markOf(record), p.problems...)
	}
	return p.problems
}

// Foreign reports whether the record decoded last holds anything that is no
// part of the event, which is for KeepListed to remove.
func (c *Decoder) Foreign() bool { return c.foreign }

var timestampField, _ = decision.Index("timestamp")

// fieldAt finds the field of a key. An unlisted key has none; neither has the
// key of a field that does not travel as an attribute of the record.
func (c *Decoder) fieldAt(position int, key string) (int, bool) {
	if position < len(c.hints) {
		if h := &c.hints[position]; h.key == key && key != "" {
			return h.field, true
		}
	}
	i, ok := decision.Index(key)
	if !ok || decision.Fields()[i].Place != decision.Attribute {
		return 0, false
	}
	if position < maxHints {
		if position >= len(c.hints) {
			c.hints = append(c.hints, make([]hint, position+1-len(c.hints))...)
		}
		c.hints[position] = hint{decision.Fields()[i].Key, i} // not the record's key, which holds its memory
	}
	return i, true
}

// A record may hold any number of unlisted attributes; hints past a few
// times the list's length would only cost memory.
const maxHints = 256

// pass is one record being read.
type pass struct {
	d         *decision.Decision
	ignored   fieldSet // what the collector fills in, whatever the emitter says
	required  fieldSet
	seen, bad fieldSet
	problems  []*decision.FieldError
}

func (p *pass) problem(field int, problem *decision.FieldError) {
	if !p.bad.has(field) {
		p.bad.add(field)
		p.problems = append(p.problems, problem)
	}
}

func (p *pass) attribute(field int, v pcommon.Value) {
	f := &decision.Fields()[field]
	if p.ignored.has(field) {
		return
	}
	if p.seen.has(field) {
		p.problem(field, f.DuplicateError())
		return
	}
	p.seen.add(field)
	value, ok := fromPdata(v)
	if !ok {
		p.problem(field, f.TypeError(v.Type().String()))
		return
	}
	if problem := f.Accept(value, p.d); problem != nil {
		p.problem(field, problem)
	}
}

// miss adds a problem for each required field that is not there.
func (p *pass) miss() {
	for missing := p.required &^ p.seen &^ p.bad; missing != 0; missing &= missing - 1 {
		field := bits.TrailingZeros64(uint64(missing))
		p.problem(field, decision.Fields()[field].MissingError())
	}
}

var required = func() (set fieldSet) {
	for i, f := range decision.Fields() {
		if f.Required {
			set.add(i)
		}
	}
	return set
}()

// filledIn are label and quality, but for the flags, some of which only the
// emitter can know.
var filledIn = func() (set fieldSet) {
	for i, f := range decision.Fields() {
		if f.Role == decision.RoleLabel || f.Role == decision.RoleQuality && f.Kind != decision.KindFlagSet {
			set.add(i)
		}
	}
	return set
}()

func fromPdata(v pcommon.Value) (decision.Value, bool) {
	switch v.Type() {
	case pcommon.ValueTypeStr:
		return decision.TextValue(v.Str()), true
	case pcommon.ValueTypeDouble:
		return decision.FloatValue(v.Double()), true
	case pcommon.ValueTypeInt:
		return decision.IntValue(v.Int()), true
	case pcommon.ValueTypeBool:
		return decision.BoolValue(v.Bool()), true
	case pcommon.ValueTypeSlice:
		return flagsFromPdata(v.Slice())
	}
	return decision.Value{}, false
}

func flagsFromPdata(names pcommon.Slice) (decision.Value, bool) {
	var flags decision.Flags
	for i := range names.Len() {
		name := names.At(i)
		flag, ok := decision.FlagNamed(name.AsString())
		if !ok || name.Type() != pcommon.ValueTypeStr {
			return decision.Value{}, false
		}
		flags |= flag
	}
	return decision.FlagsValue(flags), true
}
