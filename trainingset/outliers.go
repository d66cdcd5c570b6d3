package trainingset

import (
	"slices"

	"github.com/novacron/dwcp-telemetry/decision"
)

// outlierColumns are those that the plan's script looks at.
var outlierColumns = []string{"bandwidth_available_mbps", "rtt_ms", "payload_size"}

// outlierFactor times the interquartile range beyond the quartiles begins an
// outlier, as in the plan's script.
const outlierFactor = 1.5

// series is all values of a column with their lines.
type series struct {
	column string
	values []float64
	lines  []int32
}

func (s *series) add(line int, value decision.Value) {
	number := value.Float()
	if value.Kind() == decision.KindInt {
		number = float64(value.Int())
	}
	s.values = append(s.values, number)
	s.lines = append(s.lines, int32(line))
}

// fences are the bounds beyond which a value is an outlier.
func (s *series) fences() (low, high float64) {
	sorted := slices.Sorted(slices.Values(s.values))
	q1, q3 := quantile(sorted, 0.25), quantile(sorted, 0.75)
	reach := float64(outlierFactor * (q3 - q1))
	return q1 - reach, q3 + reach
}

// outliers returns the positions of the values beyond the fences.
func (s *series) outliers(low, high float64) (positions []int) {
	for i, v := range s.values {
		if v < low || v > high {
			positions = append(positions, i)
		}
	}
	return positions
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
