package learn

import "math"

// Score says how good answers are, of rows that nothing was learned from.
type Score struct {
	Name     string           `json:"name"`
	Meaning  string           `json:"meaning"`
	Accuracy float64          `json:"accuracy"` // 0..1
	Low      float64          `json:"low"`      // of its 95 % interval, as if rows were independent
	High     float64          `json:"high"`
	Rows     int              `json:"rows"`
	Classes  map[string]Class `json:"classes"`
}

// Class is one label's share of a score.
type Class struct {
	Precision float64 `json:"precision"` // of the rows said to be of it, how many are; 0 where none was said to be
	Recall    float64 `json:"recall"`    // of its rows, how many were found
	F1        float64 `json:"f1"`
	Rows      int     `json:"rows"` // that are of it
	Said      int     `json:"said"` // that were said to be
}

// The names of the classes.
const (
	hde  = "HDE"
	amst = "AMST"
)

// score compares answers with labels; true is HDE.
func score(name, meaning string, answers, labels []bool) Score {
	var counts [2][2]int // said, is
	for i, said := range answers {
		counts[index(said)][index(labels[i])]++
	}
	right := counts[0][0] + counts[1][1]
	s := Score{Name: name, Meaning: meaning, Rows: len(answers), Accuracy: ratio(right, len(answers)),
		Classes: map[string]Class{hde: classOf(&counts, 1), amst: classOf(&counts, 0)}}
	s.Low, s.High = wilson(right, len(answers))
	return s
}

func classOf(counts *[2][2]int, class int) Class {
	c := Class{Rows: counts[0][class] + counts[1][class], Said: counts[class][0] + counts[class][1]}
	right := counts[class][class]
	c.Precision, c.Recall = ratio(right, c.Said), ratio(right, c.Rows)
	c.F1 = ratio(2*right, c.Said+c.Rows)
	return c
}

func index(b bool) int {
	if b {
		return 1
	}
	return 0
}

func ratio(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

// wilson is the 95 % interval of a share.
func wilson(right, all int) (low, high float64) {
	if all == 0 {
		return 0, 1
	}
	const z = 1.959964
	n, p := float64(all), ratio(right, all)
	middle := p + z*z/(2*n)
	wide := z * math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	below := 1 + z*z/n
	return max((middle-wide)/below, 0), min((middle+wide)/below, 1)
}
