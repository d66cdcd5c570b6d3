package validate

import (
	"cmp"
	"math"
	"slices"
)

// judgeLikeness looks for pairs of features of which one follows from the other:
// their ranks are the same, or each other's reverse.
func (s *sample) judgeLikeness(v *validator) {
	check := v.check("near_duplicates")
	var names []string
	var ranked [][]float64
	for i, c := range s.columns {
		if isWord(c) || !c.varies {
			continue
		}
		names, ranked = append(names, c.name), append(ranked, ranks(s.values[i]))
	}
	for i := range ranked {
		for j := i + 1; j < len(ranked); j++ {
			if r := correlation(ranked[i], ranked[j]); math.Abs(r) >= v.config.NearDuplicate {
				check.detail(1, "%s and %s: rank correlation %.4f", names[i], names[j], r)
			}
		}
	}
}

// ranks are those of the values that are there, equal ones at their mean, as
// Spearman's correlation wants them; NaN stays.
func ranks(values []float64) []float64 {
	order := make([]int, 0, len(values))
	ranked := make([]float64, len(values))
	for i, v := range values {
		if math.IsNaN(v) {
			ranked[i] = v
			continue
		}
		order = append(order, i)
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(values[a], values[b]) })
	for i := 0; i < len(order); {
		end := i + 1
		for end < len(order) && values[order[end]] == values[order[i]] {
			end++
		}
		for _, at := range order[i:end] {
			ranked[at] = float64(i+end-1) / 2
		}
		i = end
	}
	return ranked
}

// minPairs is how many pairs a correlation is made of at least.
const minPairs = 20

// correlation is Pearson's, of the rows where both are there; 0 where there are
// too few, or one of them does not vary.
func correlation(a, b []float64) float64 {
	var n, sumA, sumB float64
	for i := range a {
		if !math.IsNaN(a[i]) && !math.IsNaN(b[i]) {
			n++
			sumA += a[i]
			sumB += b[i]
		}
	}
	if n < minPairs {
		return 0
	}
	meanA, meanB := sumA/n, sumB/n
	var ab, aa, bb float64
	for i := range a {
		if !math.IsNaN(a[i]) && !math.IsNaN(b[i]) {
			x, y := a[i]-meanA, b[i]-meanB
			ab += x * y
			aa += x * x
			bb += y * y
		}
	}
	if aa == 0 || bb == 0 {
		return 0
	}
	return ab / math.Sqrt(aa*bb)
}
