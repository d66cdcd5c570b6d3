package validate

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sort"
	"time"
)

// judgeDrift compares each week and each region with all others, feature by
// feature, by the population stability index.
func (s *sample) judgeDrift(v *validator) {
	s.compare(v, "week", "drift_weeks", s.week, func(week int32) string {
		return mondayOf(week).Format(time.DateOnly)
	})
	names := map[int32]string{}
	for name, code := range s.regions {
		names[code] = name
	}
	s.compare(v, "region", "drift_regions", s.region, func(code int32) string { return names[code] })
}

func (s *sample) compare(v *validator, by, check string, groupOf []int32, name func(int32) string) {
	c := v.check(check)
	sizes := map[int32]int64{}
	for _, g := range groupOf {
		if g >= 0 {
			sizes[g]++
		}
	}
	var judged []int32
	for g, n := range sizes {
		if n >= v.config.MinDriftRows {
			judged = append(judged, g)
		}
	}
	if len(judged) < 2 {
		c.skip(fmt.Sprintf("fewer than two %ss have %d rows", by, v.config.MinDriftRows))
		return
	}
	sort.Slice(judged, func(i, j int) bool { return name(judged[i]) < name(judged[j]) })
	comparisons := len(judged) * len(s.columns)
	for i, col := range s.columns {
		if by == "region" && col.name == "region" {
			continue
		}
		for _, d := range s.driftOf(i, groupOf, judged, comparisons, v.config) {
			d.By, d.Of = by, name(d.group)
			v.stats.Drift = append(v.stats.Drift, d.Drift)
		}
	}
	worst := slices.Clone(v.stats.Drift)
	slices.SortStableFunc(worst, func(a, b Drift) int { return cmp.Compare(b.PSI, a.PSI) })
	for _, d := range worst {
		if d.By == by && d.PSI > d.Limit {
			c.detail(1, "%s of %s %s: index %.2f, at most %.2f (%d rows)", d.Column, by, d.Of, d.PSI, d.Limit, d.Rows)
		}
	}
}

type groupDrift struct {
	Drift
	group int32
}

func (s *sample) driftOf(column int, groupOf, judged []int32, comparisons int, config *Config) (all []groupDrift) {
	bin, n := s.binning(column)
	if n < 2 {
		return nil
	}
	counts := map[int32][]float64{}
	total := make([]float64, n)
	for row, g := range groupOf {
		value := s.values[column][row]
		if g < 0 || math.IsNaN(value) {
			continue
		}
		if counts[g] == nil {
			counts[g] = make([]float64, n)
		}
		counts[g][bin(value)]++
		total[bin(value)]++
	}
	for _, g := range judged {
		own := counts[g]
		if own == nil {
			continue
		}
		rest := make([]float64, n)
		for i := range rest {
			rest[i] = total[i] - own[i]
		}
		size, others := sum(own), sum(rest)
		if size == 0 || others == 0 {
			continue
		}
		chance := chanceIndex(size, others, n, 1-(1-config.DriftConfidence)/float64(comparisons))
		all = append(all, groupDrift{Drift{Column: s.columns[column].name, PSI: stabilityIndex(own, rest),
			Limit: max(config.DriftLimit, chance), Rows: int64(size)}, g})
	}
	return all
}

// driftBins is how many bins of equally many rows a column of numbers has.
const driftBins = 10

// binning puts numbers into bins of equally many rows, and words into one each.
func (s *sample) binning(column int) (bin func(float64) int, n int) {
	if words := s.codes[column]; words != nil {
		n = len(words)
		return func(code float64) int { return min(int(code), n-1) }, n
	}
	sorted := present(s.values[column])
	if len(sorted) == 0 {
		return nil, 0
	}
	var edges []float64 // a value belongs to the first bin whose edge it does not exceed
	for i := 1; i < driftBins; i++ {
		edge := quantile(sorted, float64(i)/driftBins)
		if (len(edges) == 0 || edge > edges[len(edges)-1]) && edge < sorted[len(sorted)-1] {
			edges = append(edges, edge)
		}
	}
	return func(v float64) int { return sort.SearchFloat64s(edges, v) }, len(edges) + 1
}

// stabilityIndex is the population stability index of two histograms,
// Σ (p − q) ln(p / q); half a row is added to each bin, so that an empty one
// does not make it infinite.
func stabilityIndex(a, b []float64) (index float64) {
	half := 0.5 * float64(len(a))
	sumA, sumB := sum(a)+half, sum(b)+half
	for i := range a {
		p, q := (a[i]+0.5)/sumA, (b[i]+0.5)/sumB
		index += (p - q) * math.Log(p/q)
	}
	return index
}

// chanceIndex is what the index of two samples of the same distribution stays
// below with that probability: it is about (1/n + 1/m) times a chi-square with
// one degree of freedom less than there are bins (Yurdakul and Naranjo,
// Statistical properties of the population stability index, Journal of Risk
// Model Validation 14(4), 2020). So a small week may differ more than a large
// one before anybody hears of it.
func chanceIndex(n, m float64, bins int, probability float64) float64 {
	return (1/n + 1/m) * chiSquareQuantile(float64(bins-1), probability)
}

// chiSquareQuantile is Wilson and Hilferty's approximation, within 1 % for
// three degrees of freedom and more at the probabilities used here.
func chiSquareQuantile(degrees, probability float64) float64 {
	z := math.Sqrt2 * math.Erfinv(2*probability-1)
	t := 2 / (9 * degrees)
	return degrees * math.Pow(1-t+z*math.Sqrt(t), 3)
}

func sum(values []float64) (total float64) {
	for _, v := range values {
		total += v
	}
	return total
}
