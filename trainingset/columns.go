package trainingset

import (
	"slices"
	"strings"

	"github.com/novacron/dwcp-telemetry/decision"
)

// FileName is the name of the CSV of an export that is not split.
const FileName = "dwcp_training.csv"

// The columns that are more than a name here.
const (
	timestampColumn = "timestamp"
	linkTypeColumn  = "link_type"
	labelColumn     = "oracle_algorithm"
)

// columns are the plan's 21 in the plan's order. The features that are known
// before the choice and the outcomes stand mixed, as in the table.
var columns = planColumns()

func planColumns() []*decision.Field {
	chosen := []*decision.Field{decision.Column(timestampColumn)}
	chosen = append(chosen, withRole(decision.RoleContext, decision.RoleOutcome)...)
	return append(chosen, decision.Column(labelColumn))
}

// Columns returns the names of the plan's columns, in order.
func Columns() []string {
	names := make([]string, len(columns))
	for i, f := range columns {
		names[i] = f.Column
	}
	return names
}

// ColumnSet names a choice of columns.
type ColumnSet string

const (
	Plan      ColumnSet = "plan"       // the plan's 21, in its order
	PlanPrior ColumnSet = "plan-prior" // the same names, but of the outcomes what was known before the choice
	Context   ColumnSet = "context"    // only what was known before the choice, and the label
	All       ColumnSet = "all"        // everything but identity
)

// ColumnSets are all there are.
func ColumnSets() []ColumnSet { return []ColumnSet{Plan, PlanPrior, Context, All} }

// Derived names a column that no field of the event holds.
type Derived string

const (
	GroupID      Derived = "group_id"
	SampleWeight Derived = "sample_weight"
	LabelMargin  Derived = "label_margin"
)

// Column is one column of a training set.
type Column struct {
	Name    string
	Field   *decision.Field // whose values it holds, perhaps under another field's name; nil for a derived one
	Derived Derived         // "" for a field's
}

// Further says which columns come on top of a set's own.
type Further struct {
	Identity bool // vm_id, request_id, session_id, event_id and the Recorder's
	Group    bool // group_id; context and all have it anyway
	Weights  bool // sample_weight and label_margin; all has them anyway
}

// Columns returns the set's columns in order: fields first, then identity, then
// what is derived.
func (s ColumnSet) Columns(f Further) []Column {
	var chosen []Column
	for _, field := range s.fields() {
		name := field.Column
		if of, ok := outcomeOf(field); ok && s == PlanPrior {
			name = of.Column
		}
		chosen = append(chosen, Column{Name: name, Field: field})
	}
	if f.Identity {
		for _, field := range identity() {
			chosen = append(chosen, Column{Name: field.Column, Field: field})
		}
	}
	if f.Group || s == Context || s == All {
		chosen = append(chosen, Column{Name: string(GroupID), Derived: GroupID})
	}
	if f.Weights || s == All {
		chosen = append(chosen, Column{Name: string(SampleWeight), Derived: SampleWeight},
			Column{Name: string(LabelMargin), Derived: LabelMargin})
	}
	return chosen
}

func (s ColumnSet) fields() []*decision.Field {
	timestamp, label := decision.Column(timestampColumn), decision.Column(labelColumn)
	switch s {
	case PlanPrior:
		chosen := slices.Clone(columns)
		for i, f := range chosen {
			if prior, ok := priorOf(f); ok {
				chosen[i] = prior
			}
		}
		return chosen
	case Context:
		known := withRole(decision.RoleContext, decision.RolePrior)
		return append(append([]*decision.Field{timestamp}, known...), label)
	case All:
		return append([]*decision.Field{timestamp}, withRole(decision.RoleContext, decision.RolePrior, decision.RoleOutcome,
			decision.RoleActual, decision.RoleLabel, decision.RoleQuality, decision.RoleProvenance, decision.RoleRecording)...)
	default:
		return columns
	}
}

// withRole returns the fields of these roles in the list's order, without those
// that identify.
func withRole(roles ...decision.Role) (chosen []*decision.Field) {
	fields := decision.Fields()
	for i := range fields {
		if f := &fields[i]; slices.Contains(roles, f.Role) && !Identifies(f) {
			chosen = append(chosen, f)
		}
	}
	return chosen
}

// Identifies reports a field that says whose decision it is. The Recorder's
// UUID is one: it names one process of one host, in every export.
func Identifies(f *decision.Field) bool {
	switch f.Role {
	case decision.RoleIdentity:
		return f.Column != timestampColumn
	case decision.RoleRecording:
		return strings.HasPrefix(f.Column, "recorder_")
	}
	return false
}

// identity are the fields that only WithIdentity exports.
func identity() (chosen []*decision.Field) {
	fields := decision.Fields()
	for i := range fields {
		if Identifies(&fields[i]) {
			chosen = append(chosen, &fields[i])
		}
	}
	return chosen
}

// priorOf finds what was known of an outcome before the choice: its key has
// ".prior" behind the algorithm.
func priorOf(outcome *decision.Field) (*decision.Field, bool) {
	return counterpart(outcome, decision.RoleOutcome, decision.RolePrior)
}

func outcomeOf(prior *decision.Field) (*decision.Field, bool) {
	return counterpart(prior, decision.RolePrior, decision.RoleOutcome)
}

func counterpart(f *decision.Field, from, to decision.Role) (*decision.Field, bool) {
	if f.Role != from {
		return nil, false
	}
	plain := func(key string) string { return strings.Replace(key, ".prior.", ".", 1) }
	fields := decision.Fields()
	for i := range fields {
		if fields[i].Role == to && plain(fields[i].Key) == plain(f.Key) {
			return &fields[i], true
		}
	}
	return nil, false
}

// Kind is the type of the column's values.
func (c *Column) Kind() decision.Kind {
	switch {
	case c.Field != nil:
		return c.Field.Kind
	case c.Derived == GroupID:
		return decision.KindText
	}
	return decision.KindFloat
}

// Role is what the column may be used for; "group" and "weight" for derived
// ones. In plan-prior the columns with outcomes' names are priors.
func (c *Column) Role() string {
	switch {
	case c.Field != nil:
		return c.Field.Role.String()
	case c.Derived == GroupID:
		return "group"
	}
	return "weight"
}

// Meaning says in a sentence what the column holds.
func (c *Column) Meaning() string {
	switch c.Derived {
	case GroupID:
		return "rows that belong together have the same one; says nothing beyond this export"
	case SampleWeight:
		return "1 / sampling_ratio: how many decisions this one stands for"
	case LabelMargin:
		return "|ln(utility of HDE / utility of AMST)|: how clear the label is; empty where one utility is missing or 0"
	}
	return c.Field.Meaning
}

// Unit is the unit of the column's values, "" where there is none.
func (c *Column) Unit() string {
	if c.Field == nil {
		return ""
	}
	return c.Field.Unit
}
