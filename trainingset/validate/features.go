package validate

import (
	"math"
	"slices"

	"github.com/novacron/dwcp-telemetry/decision"
)

// judgeFeatures describes each column of numbers and looks for outliers.
func (s *sample) judgeFeatures(v *validator) {
	check := v.check("outliers")
	check.OK = "at most " + percent(v.config.MaxOutlierShare) + " outliers in every column"
	for i, c := range s.columns {
		if isWord(c) || c.field.Kind == decision.KindBool {
			continue
		}
		sorted := present(s.values[i])
		if len(sorted) == 0 {
			continue
		}
		f := describe(sorted, v.config.OutlierFactor)
		f.Column, f.Unit, f.Role = c.name, c.field.Unit, c.field.Role.String()
		f.Missing = share(c.missing, v.records)
		f.Histogram = histogram(s.values[i], s.label, sorted)
		v.stats.Features = append(v.stats.Features, f)
		low, high := fences(sorted, v.config.OutlierFactor)
		part, on := f.Outliers, ""
		if f.LogScale {
			part, on = f.LogOutliers, ", judged on the logarithm"
			low, high = fences(logarithms(sorted), v.config.OutlierFactor)
			low, high = math.Exp(low), math.Exp(high)
		}
		if part > v.config.MaxOutlierShare {
			check.detail(1, "%s: %s outside %s..%s%s", c.name, percent(part), decimal(low), decimal(high), on)
		}
	}
}

// present are the values that are there, sorted.
func present(values []float64) []float64 {
	there := make([]float64, 0, len(values))
	for _, v := range values {
		if !math.IsNaN(v) {
			there = append(there, v)
		}
	}
	slices.Sort(there)
	return there
}

func describe(sorted []float64, factor float64) Feature {
	f := Feature{Values: int64(len(sorted)), Min: sorted[0], Max: sorted[len(sorted)-1],
		Q1: quantile(sorted, 0.25), Median: quantile(sorted, 0.5), Q3: quantile(sorted, 0.75)}
	f.Outliers = beyond(sorted, factor)
	if f.LogScale = f.Min > 0; f.LogScale {
		f.LogOutliers = beyond(logarithms(sorted), factor)
	}
	return f
}

func logarithms(values []float64) []float64 {
	logs := make([]float64, len(values))
	for i, v := range values {
		logs[i] = math.Log(v)
	}
	return logs
}

// fences are the bounds beyond which a value is an outlier, as in the plan's
// script.
func fences(sorted []float64, factor float64) (low, high float64) {
	q1, q3 := quantile(sorted, 0.25), quantile(sorted, 0.75)
	reach := float64(factor * (q3 - q1))
	return q1 - reach, q3 + reach
}

// beyond is the share of the values outside the fences. Where half of them are
// the same the fences have no width and say nothing.
func beyond(sorted []float64, factor float64) float64 {
	low, high := fences(sorted, factor)
	if low == high || few(sorted) {
		return 0
	}
	below, _ := slices.BinarySearch(sorted, low)
	atMost, _ := slices.BinarySearch(sorted, math.Nextafter(high, math.Inf(1)))
	return float64(below+len(sorted)-atMost) / float64(len(sorted))
}

// fewValues is the number of different values up to which a column is a choice
// rather than a measurement: a third tier or a sixteenth stream is no outlier.
const fewValues = 9

func few(sorted []float64) bool {
	different := 1
	for i := 1; i < len(sorted) && different <= fewValues; i++ {
		if sorted[i] != sorted[i-1] {
			different++
		}
	}
	return different <= fewValues
}

// quantile interpolates linearly, step by step as NumPy does, so that the
// fences are those of pandas to the last bit.
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	below := int(at)
	if below+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	part, low, high := at-float64(below), sorted[below], sorted[below+1]
	step := high - low
	if part >= 0.5 {
		return high - float64(step*(1-part))
	}
	return low + float64(step*part)
}

// bins of a histogram.
const bins = 24

// histogram reaches from the first percentile to the last, on the logarithm
// where the values are above 0 and span more than two powers of ten.
func histogram(values []float64, labels []int8, sorted []float64) Histogram {
	low, high := quantile(sorted, 0.01), quantile(sorted, 0.99)
	h := Histogram{Log: low > 0 && high/low > 100, HDE: make([]int64, bins), AMST: make([]int64, bins)}
	scale, back := func(v float64) float64 { return v }, func(v float64) float64 { return v }
	if h.Log {
		scale, back = math.Log, math.Exp
	}
	from, to := scale(low), scale(high)
	if from == to {
		from, to = from-0.5, to+0.5
	}
	for i := range bins + 1 {
		h.Edges = append(h.Edges, back(from+(to-from)*float64(i)/bins))
	}
	for i, v := range values {
		if math.IsNaN(v) || labels[i] < 0 {
			continue
		}
		bin := 0
		if v > low {
			bin = min(bins-1, int(bins*(scale(v)-from)/(to-from)))
		}
		if labels[i] == 0 {
			h.HDE[bin]++
		} else {
			h.AMST[bin]++
		}
	}
	return h
}
