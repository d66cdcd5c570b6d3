package export

import (
	"math"
	"sync/atomic"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/trainingset"
)

// batchRows is how many rows travel together from the database to the files.
const batchRows = 2048

// layout says which values a scan reads and which columns the files have. A
// slot is a place for a value in a batch: first those of the fields that are
// selected, each once, then those of the derived columns.
type layout struct {
	fields  []*decision.Field // by slot
	columns []column          // of the files, in order
	slots   map[string]int    // by the table's or the derived column's name
}

type column struct {
	trainingset.Column
	kind     decision.Kind
	slot     int
	nullable bool
}

// newLayout places the files' columns and what the choice of rows needs too.
func newLayout(columns []trainingset.Column, needed ...string) *layout {
	l := &layout{slots: map[string]int{}}
	for i := range columns {
		if f := columns[i].Field; f != nil {
			l.place(f)
		}
	}
	for _, name := range needed {
		l.place(decision.Column(name))
	}
	next := len(l.fields)
	for i := range columns {
		c := column{Column: columns[i], kind: columns[i].Kind()}
		if f := c.Field; f != nil {
			c.slot, c.nullable = l.slots[f.Column], !f.Required
		} else {
			c.slot, c.nullable = next, c.Derived == trainingset.LabelMargin
			l.slots[string(c.Derived)] = next
			next++
		}
		l.columns = append(l.columns, c)
	}
	return l
}

func (l *layout) place(f *decision.Field) {
	if _, there := l.slots[f.Column]; !there {
		l.slots[f.Column] = len(l.fields)
		l.fields = append(l.fields, f)
	}
}

// has reports whether the files have that derived column.
func (l *layout) has(d trainingset.Derived) bool { _, ok := l.slots[string(d)]; return ok }

// width is the number of slots.
func (l *layout) width() int {
	n := len(l.fields)
	for i := range l.columns {
		n = max(n, l.columns[i].slot+1)
	}
	return n
}

// values are a batch's values of one slot; which of bits and texts holds them
// depends on the kind.
type values struct {
	null  []bool
	bits  []uint64 // an integer, microseconds since 1970, a bool as 0 or 1, a float's bits
	texts []span
}

// span is a text in the batch's arena.
type span struct{ start, end uint32 }

// batch is a run of rows, slot by slot.
type batch struct {
	rows  int
	slots []values
	part  []place
	arena []byte

	readers atomic.Int32 // that are not done with it
}

// place is where a row goes: the number of a part, or why it is left out.
type place int8

const (
	leftOutBySample place = -1 - iota
	leftOutByGap
	leftOutByGroup
	leftOutByBalance
)

// leftOutReasons are the names that manifests give.
var leftOutReasons = map[place]string{
	leftOutBySample: "sample", leftOutByGap: "gap", leftOutByGroup: "group_over_boundary", leftOutByBalance: "balance",
}

func newBatch(l *layout) *batch {
	b := &batch{slots: make([]values, l.width()), part: make([]place, batchRows), arena: make([]byte, 0, 256<<10)}
	for i := range b.slots {
		b.slots[i] = values{null: make([]bool, batchRows), bits: make([]uint64, batchRows), texts: make([]span, batchRows)}
	}
	return b
}

func (b *batch) reset() { b.rows, b.arena = 0, b.arena[:0] }

func (b *batch) text(slot, row int) []byte {
	s := b.slots[slot].texts[row]
	return b.arena[s.start:s.end]
}

func (b *batch) setText(slot, row int, text []byte) {
	start := len(b.arena)
	b.arena = append(b.arena, text...)
	b.slots[slot].texts[row] = span{uint32(start), uint32(len(b.arena))}
}

func (b *batch) null(slot, row int) bool { return b.slots[slot].null[row] }

func (b *batch) micros(slot, row int) int64 { return int64(b.slots[slot].bits[row]) }

func (b *batch) float(slot, row int) float64 { return math.Float64frombits(b.slots[slot].bits[row]) }

func (b *batch) setFloat(slot, row int, f float64) { b.slots[slot].bits[row] = math.Float64bits(f) }
