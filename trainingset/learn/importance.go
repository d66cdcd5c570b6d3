package learn

import (
	"cmp"
	"math/rand/v2"
	"slices"

	"github.com/novacron/dwcp-telemetry/internal/boost"
)

// Importance says how much a model needs a column.
type Importance struct {
	Column string `json:"column"`
	// How much less accurate the model is on test when the column's values are
	// exchanged among the rows; about 0, perhaps below, where it does without.
	Drop float64 `json:"drop"`
	// The column's share of all that the trees' splits gained in training.
	Gain float64 `json:"gain"`
}

// feature is a column and those that were made of it.
type feature struct {
	name    string
	columns []int
}

const (
	// permutations are how many drops are averaged.
	permutations = 3
	// rowsForImportance bounds the time it takes; the share of this many rows is
	// known within a point.
	rowsForImportance = 8000
)

// importance permutes a column at a time, the most important first.
func importance(m *boost.Model, rows *boost.Binned, labels []bool, features []feature, seed uint64) []Importance {
	rows, labels = some(rows, labels, seed)
	base := accuracy(m.Scores(rows), labels)
	gains, all := m.Gains(), make([]Importance, len(features))
	for i, f := range features {
		all[i].Column = f.name
		for _, c := range f.columns {
			all[i].Gain += gains[c]
		}
		if all[i].Gain == 0 { // no tree looks at it
			continue
		}
		random := rand.New(rand.NewPCG(seed, uint64(i)+10))
		for range permutations {
			moved := rows.Permuted(f.columns, random.Perm(len(labels)))
			all[i].Drop += (base - accuracy(m.Scores(moved), labels)) / permutations
		}
	}
	slices.SortStableFunc(all, func(a, b Importance) int {
		return cmp.Or(cmp.Compare(b.Drop, a.Drop), cmp.Compare(b.Gain, a.Gain))
	})
	return all
}

func some(rows *boost.Binned, labels []bool, seed uint64) (*boost.Binned, []bool) {
	if len(labels) <= rowsForImportance {
		return rows, labels
	}
	chosen := rand.New(rand.NewPCG(seed, 3)).Perm(len(labels))[:rowsForImportance]
	slices.Sort(chosen)
	taken := make([]bool, len(chosen))
	for i, row := range chosen {
		taken[i] = labels[row]
	}
	return rows.Rows(chosen), taken
}

func accuracy(scores []float64, labels []bool) float64 {
	right := 0
	for i, said := range answersOf(scores) {
		right += index(said == labels[i])
	}
	return ratio(right, len(labels))
}
