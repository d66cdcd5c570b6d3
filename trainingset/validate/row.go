package validate

import (
	"math"
	"strconv"
	"strings"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/trainingset"
)

// row is one row, read and checked cell by cell.
type row struct {
	v     *validator
	part  *partState
	line  int
	cells []string // as they stand in the file, by position
	d     decision.Decision
	good  []bool    // by the column's index: it is there and nothing is wrong with it
	num   []float64 // by the column's index: the number, where good and a number
	group string    // group_id
	sound bool      // no cell is wrong
}

// has reports that a field's value is there and sound.
func (r *row) has(column string) bool {
	c, ok := r.v.byName[column]
	return ok && c.field != nil && c.field.Column == column && r.good[c.index]
}

// cell is the text of a column, "" where it is not there.
func (r *row) cell(name string) string {
	for i, c := range r.part.columns {
		if c != nil && c.name == name && i < len(r.cells) {
			return r.cells[i]
		}
	}
	return ""
}

// sample is a place in this row.
func (r *row) sample(column, value, rule string) Sample {
	return Sample{File: r.part.name, Line: r.line, Column: column, Value: value, Rule: rule}
}

// row checks one row: each cell by its field, then what the cells say together.
func (v *validator) row(p *partState, line int, cells []string) {
	r := &v.current
	if len(r.good) < len(v.columns) {
		r.good, r.num = make([]bool, len(v.columns)), make([]float64, len(v.columns))
	}
	clear(r.good)
	r.v, r.part, r.line, r.cells, r.d, r.group, r.sound = v, p, line, cells, decision.Decision{}, "", true
	if len(cells) > len(p.columns) || len(cells) < len(p.columns) {
		v.check("rows").found(r.sample("", "", "wrong number of fields"))
		return
	}
	for i, cell := range cells {
		if c := p.columns[i]; c != nil {
			r.read(c, cell)
		}
	}
	for _, t := range v.tallies {
		t.add(r)
	}
}

// read reads one cell.
func (r *row) read(c *column, cell string) {
	if cell == "" {
		c.missing++
	} else {
		c.filled++
		if c.filled == 1 {
			c.first = strings.Clone(cell)
		} else if !c.varies && c.first != cell {
			c.varies = true
		}
	}
	switch {
	case c.field != nil:
		r.readField(c, cell)
	case c.derived == trainingset.GroupID:
		r.group, r.good[c.index] = cell, cell != ""
	case c.derived != "":
		r.readWeight(c, cell)
	}
}

func (r *row) readField(c *column, cell string) {
	f := c.field
	if cell == "" && !f.Required {
		return
	}
	value, problem := readCell(f, cell, &r.d)
	if problem != nil {
		r.broken(c, problem)
		return
	}
	r.good[c.index] = true
	switch f.Kind {
	case decision.KindFloat:
		r.num[c.index] = value.Float()
		if value.Kind() == decision.KindInt {
			r.num[c.index] = float64(value.Int())
		}
	case decision.KindInt:
		r.num[c.index] = float64(value.Int())
	case decision.KindBool:
		r.num[c.index] = 0
		if value.Bool() {
			r.num[c.index] = 1
		}
	case decision.KindText:
		if readAsMissing(cell) {
			r.v.check("pandas").found(r.sample(c.name, shown(f, cell), "is taken for missing"))
		}
	}
}

// readWeight reads sample_weight or label_margin, which no field describes.
func (r *row) readWeight(c *column, cell string) {
	if cell == "" {
		if c.derived == trainingset.SampleWeight {
			r.fail("required", r.sample(c.name, "", "is required"))
		}
		return
	}
	number, err := strconv.ParseFloat(cell, 64)
	least := 0.0
	if c.derived == trainingset.SampleWeight {
		least = 1
	}
	switch {
	case err != nil || isHex(cell):
		r.fail("types", r.sample(c.name, cut(cell), cellForms[decision.KindFloat]))
	case math.IsNaN(number) || math.IsInf(number, 0):
		r.fail("finite", r.sample(c.name, cut(cell), "must be a finite number"))
	case number < least:
		r.fail("ranges", r.sample(c.name, cut(cell), "must be ≥ "+decimal(least)))
	default:
		r.good[c.index], r.num[c.index] = true, number
	}
}

// fail files a problem of a cell.
func (r *row) fail(check string, s Sample) {
	r.sound = false
	r.v.check(check).found(s)
}

// readCell reads one cell into d and says what is wrong with it.
func readCell(f *decision.Field, cell string, d *decision.Decision) (decision.Value, *decision.FieldError) {
	if cell == "" {
		return decision.Value{}, f.MissingError()
	}
	value, err := decision.ParseValue(f.Kind, cell)
	if err != nil || f.Kind == decision.KindFloat && isHex(cell) {
		return value, typeError(f, cell)
	}
	if problem := f.Decode(value, d); problem != nil {
		return value, problem
	}
	return value, f.Check(d)
}

// cellForms say what a cell of each kind looks like.
var cellForms = map[decision.Kind]string{
	decision.KindInt:     "must be a whole number",
	decision.KindFloat:   "must be a number",
	decision.KindBool:    "must be true or false",
	decision.KindTime:    "must be a time in RFC 3339, like 2026-11-23T23:21:34.263638Z",
	decision.KindFlagSet: "must be names of quality flags joined by commas",
}

// shownBytes is how much of a cell gets into a report.
const shownBytes = 64

func cut(cell string) string { return strings.ToValidUTF8(cell[:min(len(cell), shownBytes)], "") }

// typeError is the field's error in the words of a CSV.
func typeError(f *decision.Field, cell string) *decision.FieldError {
	problem := f.TypeError(cell)
	problem.Rule = cellForms[f.Kind]
	if f.Place == decision.RecordTimestamp {
		// The only identity that is exported; it names nobody.
		problem.Value = cut(cell)
	}
	return problem
}

// isHex reports a form of float that Go reads and pandas does not.
func isHex(cell string) bool { return strings.ContainsAny(cell, "xX") }

// shown withholds what must not get into a report.
func shown(f *decision.Field, cell string) string {
	if f == nil || trainingset.Identifies(f) || f.Role == decision.RoleIdentity {
		return withheld
	}
	return cut(cell)
}

// checkOf is where each reason for a refusal is filed.
var checkOf = map[decision.Reason]string{
	decision.Missing: "required", decision.WrongType: "types", decision.BadUUID: "types",
	decision.NotFinite: "finite", decision.NotInEnum: "enums",
}

// broken files a cell's problem under the check it belongs to.
func (r *row) broken(c *column, problem *decision.FieldError) {
	check, ok := checkOf[problem.Reason]
	if !ok {
		check = "ranges"
	}
	value := problem.Value
	if value != "" && trainingset.Identifies(c.field) {
		value = withheld
	}
	r.fail(check, r.sample(c.name, value, problem.Rule))
}
