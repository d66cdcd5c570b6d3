package boost

import "math"

// Options shape the model. DefaultOptions are scikit-learn's, with a patience.
type Options struct {
	Trees        int     // at most
	LearningRate float64 // how much of each tree is believed
	Leaves       int     // of a tree, at most
	MinLeafRows  int     // rows that a leaf needs
	// After so many trees that made nothing better on the validation rows, no
	// more are grown, and those since the best are taken back; 0: never.
	Patience int
}

// DefaultOptions are good for tables of a few columns.
func DefaultOptions() Options {
	return Options{Trees: 100, LearningRate: 0.1, Leaves: 31, MinLeafRows: 20, Patience: 15}
}

// Data is rows by column: Columns[c][r]. NaN is a missing value.
type Data struct {
	Columns [][]float64
	Labels  []bool // by row
}

// Model says how likely a row's label is true.
type Model struct {
	cuts     [][]float64 // by column, ascending: bin b holds what is at most cuts[b]
	baseline float64     // log odds before any tree
	trees    []tree
}

// Fit grows a model on the rows of train. The rows of validation, which may be
// none, only say when to stop.
func Fit(train, validation *Data, o Options) *Model {
	m := &Model{cuts: make([][]float64, len(train.Columns)), baseline: logOdds(train.Labels)}
	inParallel(len(m.cuts), func(c int) { m.cuts[c] = cutsOf(train.Columns[c]) })
	binned, held := m.Bin(train.Columns), m.Bin(validation.Columns)
	scores, heldScores := m.start(len(train.Labels)), m.start(len(validation.Labels))
	g := newGrower(binned, o)
	best, least := 0, logLoss(heldScores, validation.Labels)
	for len(m.trees) < o.Trees {
		grown := g.grow(scores, train.Labels)
		if len(grown) == 1 { // a leaf: no split makes anything better
			break
		}
		m.trees = append(m.trees, grown)
		g.addTo(scores)
		if o.Patience == 0 || len(heldScores) == 0 {
			continue
		}
		grown.addTo(heldScores, held)
		if loss := logLoss(heldScores, validation.Labels); loss < least {
			best, least = len(m.trees), loss
		}
		if len(m.trees)-best >= o.Patience {
			m.trees = m.trees[:best]
			break
		}
	}
	return m
}

// Trees is the number of trees.
func (m *Model) Trees() int { return len(m.trees) }

// Scores returns the log odds of every row: above 0 the label is rather true.
func (m *Model) Scores(rows *Binned) []float64 {
	scores := m.start(rows.rows)
	for _, t := range m.trees {
		t.addTo(scores, rows)
	}
	return scores
}

// Gains returns by column how much its splits lowered the loss, as a share of
// what all splits did. Zero for a column that no tree looks at.
func (m *Model) Gains() []float64 {
	gains, all := make([]float64, len(m.cuts)), 0.0
	for _, t := range m.trees {
		for _, n := range t {
			if !n.leaf {
				gains[n.column] += n.gain
				all += n.gain
			}
		}
	}
	for c := range gains {
		if all > 0 {
			gains[c] /= all
		}
	}
	return gains
}

// Probability turns log odds into a probability.
func Probability(score float64) float64 { return 1 / (1 + math.Exp(-score)) }

func (m *Model) start(rows int) []float64 {
	scores := make([]float64, rows)
	for i := range scores {
		scores[i] = m.baseline
	}
	return scores
}

// logOdds is finite also where all labels are the same.
func logOdds(labels []bool) float64 {
	yes := 0
	for _, l := range labels {
		if l {
			yes++
		}
	}
	const least = 1e-9
	p := min(max(float64(yes)/float64(max(len(labels), 1)), least), 1-least)
	return math.Log(p / (1 - p))
}

func logLoss(scores []float64, labels []bool) (sum float64) {
	for i, s := range scores {
		if labels[i] {
			s = -s
		}
		sum += max(s, 0) + math.Log1p(math.Exp(-math.Abs(s)))
	}
	return sum / float64(max(len(scores), 1))
}
