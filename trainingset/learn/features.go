package learn

import (
	"cmp"
	"math"
	"slices"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/trainingset"
)

// The choices of columns that a model is fitted on.
const (
	FeaturesPlan     = "plan"           // the plan's 19
	FeaturesOutcomes = "outcomes"       // those of them that are known only afterwards
	FeaturesContext  = "context"        // those of them that are known before the choice
	FeaturesKnown    = "context+priors" // all that is known before the choice
)

// choice is one of them.
type choice struct {
	name       string
	meaning    string
	importance bool // worth the time
	fields     []*decision.Field
}

var (
	outcomeFields = withRole(decision.RoleOutcome)
	contextFields = withRole(decision.RoleContext)
	knownFields   = withRole(decision.RoleContext, decision.RolePrior)
)

func withRole(roles ...decision.Role) (chosen []*decision.Field) {
	fields := decision.Fields()
	for i := range fields {
		if slices.Contains(roles, fields[i].Role) {
			chosen = append(chosen, &fields[i])
		}
	}
	return chosen
}

func choices() []choice {
	return []choice{
		{FeaturesPlan, "the plan's features, outcomes included", true, planFields()},
		{FeaturesOutcomes, "the outcomes alone: what the label is computed from", false, outcomeFields},
		{FeaturesContext, "what was known before the choice, without priors", false, contextFields},
		{FeaturesKnown, "what was known before the choice", true, knownFields},
	}
}

// planFields are the plan's columns but the time and the label.
func planFields() (chosen []*decision.Field) {
	for _, name := range trainingset.Columns() {
		if f := decision.Column(name); f.Role == decision.RoleContext || f.Role == decision.RoleOutcome {
			chosen = append(chosen, f)
		}
	}
	return chosen
}

// maxWords is how many words of a column get a column of their own, the most
// frequent first; the others are none of them.
const maxWords = 24

// encoded is a field's values as columns of numbers. The label has no part in
// it.
type encoded struct {
	field   *decision.Field
	columns [][]float64
}

// encode makes numbers of all fields read. A word is a column of 0 and 1.
func (s *set) encode() map[*decision.Field]*encoded {
	all := map[*decision.Field]*encoded{}
	for _, c := range choices() {
		for _, f := range c.fields {
			if all[f] != nil {
				continue
			}
			e := &encoded{field: f}
			if f.Kind == decision.KindText {
				e.columns = s.wordColumns(f)
			} else {
				e.columns = [][]float64{s.numberColumn(f)}
			}
			all[f] = e
		}
	}
	return all
}

func (s *set) numberColumn(f *decision.Field) []float64 {
	column := make([]float64, len(s.rows))
	for i := range s.rows {
		value, ok := f.Value(&s.rows[i].Decision)
		switch {
		case !ok:
			column[i] = math.NaN()
		case f.Kind == decision.KindFloat:
			column[i] = value.Float()
		case f.Kind == decision.KindBool && value.Bool():
			column[i] = 1
		case f.Kind == decision.KindInt:
			column[i] = float64(value.Int())
		}
	}
	return column
}

func (s *set) wordColumns(f *decision.Field) [][]float64 {
	counts := map[string]int{}
	for i := range s.rows {
		if value, ok := f.Value(&s.rows[i].Decision); ok {
			counts[value.Text()]++
		}
	}
	words := make([]string, 0, len(counts))
	for word := range counts {
		words = append(words, word)
	}
	slices.SortFunc(words, func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	if len(words) > maxWords {
		words = words[:maxWords]
	}
	columns, place := make([][]float64, len(words)), map[string]int{}
	for c, word := range words {
		columns[c], place[word] = make([]float64, len(s.rows)), c
	}
	for i := range s.rows {
		if value, ok := f.Value(&s.rows[i].Decision); ok {
			if c, ok := place[value.Text()]; ok {
				columns[c][i] = 1
			}
		}
	}
	return columns
}

// gather takes some rows of a column.
func gather(column []float64, rows []int) []float64 {
	taken := make([]float64, len(rows))
	for i, row := range rows {
		taken[i] = column[row]
	}
	return taken
}
