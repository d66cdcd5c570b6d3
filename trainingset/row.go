package trainingset

import (
	"strings"
	"time"

	"github.com/novacron/dwcp-telemetry/decision"
)

// row checks one row: each cell by its field, then what the cells say together.
func (v *validator) row(line int, cells []string) {
	var d decision.Decision
	sound := v.header.Count == 0 // else the label would be made of zeros
	for i, cell := range cells {
		f := v.columns[i]
		if f == nil {
			continue
		}
		if cell == "" {
			v.missing[i]++
			if !f.Required {
				continue
			}
		}
		value, problem := readCell(f, cell, &d)
		if problem != nil {
			v.broken(line, f, problem)
			sound = false
			continue
		}
		if v.series[i] != nil {
			v.series[i].add(line, value)
		}
		if f.Kind == decision.KindText && readAsMissing(cell) {
			v.pandas.found(Sample{line, f.Column, shown(f, cell), "is taken for missing"})
		}
	}
	v.tally(line, &d)
	if sound {
		v.checkLabel(line, &d)
	}
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

// shownBytes is how much of a time that is none gets into a report.
const shownBytes = 64

// typeError is the field's error in the words of a CSV.
func typeError(f *decision.Field, cell string) *decision.FieldError {
	problem := f.TypeError(cell)
	problem.Rule = cellForms[f.Kind]
	if f.Place == decision.RecordTimestamp {
		// The only identity that is exported; it names nobody.
		problem.Value = strings.ToValidUTF8(cell[:min(len(cell), shownBytes)], "")
	}
	return problem
}

// isHex reports a form of float that Go reads and pandas does not.
func isHex(cell string) bool { return strings.ContainsAny(cell, "xX") }

// shown withholds what must not get into a report.
func shown(f *decision.Field, cell string) string {
	if f.Role == decision.RoleIdentity {
		return "(withheld)"
	}
	return cell
}

// broken files a cell's problem under the check it belongs to.
func (v *validator) broken(line int, f *decision.Field, problem *decision.FieldError) {
	check := v.ranges
	switch problem.Reason {
	case decision.Missing:
		check = v.required
	case decision.WrongType, decision.BadUUID:
		check = v.types
	case decision.NotFinite:
		check = v.finite
	}
	check.found(Sample{line, f.Column, problem.Value, problem.Rule})
}

// tally keeps what the statistics need; cells that are missing or wrong count
// nowhere.
func (v *validator) tally(line int, d *decision.Decision) {
	if !d.Timestamp.IsZero() {
		v.tallyTime(line, d.Timestamp)
	}
	known := decision.Column(linkTypeColumn).Check(d) == nil && decision.Column(labelColumn).Check(d) == nil
	if known {
		v.balance.Add(string(d.LinkType), string(d.OracleAlgorithm.Value), 1)
	}
}

func (v *validator) tallyTime(line int, at time.Time) {
	if at.Before(v.previous) {
		v.order.found(Sample{line, timestampColumn, formatTime(at), "must not be before " + formatTime(v.previous)})
	}
	v.previous = at
	if v.oldest.IsZero() || at.Before(v.oldest) {
		v.oldest = at
	}
	if at.After(v.newest) {
		v.newest = at
	}
}

const missingArm = decision.HDEMissing | decision.AMSTMissing

// checkLabel makes the label again from the row's own measurements.
func (v *validator) checkLabel(line int, d *decision.Decision) {
	label := d.OracleAlgorithm.Value
	if err := v.rule.Label(d); err != nil || d.QualityFlags&missingArm != 0 {
		v.arms.found(Sample{Line: line, Rule: "not all measurements of both algorithms are there"})
		return
	}
	v.labelsChecked++
	if again := d.OracleAlgorithm.Value; again != label {
		v.label.found(Sample{line, labelColumn, string(label), "must be " + string(again)})
	}
}
