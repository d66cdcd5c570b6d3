package trainingset

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
)

// The wanted values come from pandas.Series.quantile, bit for bit.
func TestQuantilesAreThoseOfPandas(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		sorted []float64
		q1, q3 float64
	}{
		{"one value", []float64{7}, 7, 7},
		{"two values", []float64{1, 2}, 1.25, 1.75},
		{"on a value", []float64{1, 2, 3, 4, 5}, 2, 4},
		{"between values", []float64{1, 2, 3, 4}, 1.75, 3.25},
		{"values that binary fractions only approach", []float64{0.1, 0.3, 0.5265, 0.7, 22.5207, 30.0166, 30.3032,
			46.7935, 62.5095, 77.5686, 79.7069, 82.1228, 87.3553, 89.7214}, 6.155175000000001, 79.172325},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, math.Float64bits(test.q1), math.Float64bits(quantile(test.sorted, 0.25)))
			require.Equal(t, math.Float64bits(test.q3), math.Float64bits(quantile(test.sorted, 0.75)))
		})
	}
}

func seriesOf(values ...float64) *series {
	s := &series{column: "rtt_ms"}
	for i, v := range values {
		s.add(i+2, decision.FloatValue(v))
	}
	return s
}

func TestOutliersLieBeyondTheFences(t *testing.T) {
	t.Parallel()
	// Quartiles of 10, 20, 30, 40, 100 are 20 and 40: fences -10 and 70.
	s := seriesOf(100, 10, 40, 20, 30)
	low, high := s.fences()
	require.Equal(t, []float64{-10, 70}, []float64{low, high})
	require.Equal(t, []int{0}, s.outliers(low, high))
	require.Equal(t, 100.0, s.values[0], "the order of the file is kept")
}

func TestValueOnTheFenceIsNoOutlier(t *testing.T) {
	t.Parallel()
	s := seriesOf(10, 20, 30, 40, 70)
	require.Empty(t, s.outliers(-10, 70))
}

func TestEqualValuesHaveNoOutliers(t *testing.T) {
	t.Parallel()
	s := seriesOf(5, 5, 5, 5)
	low, high := s.fences()
	require.Empty(t, s.outliers(low, high))
}

func TestWholeNumbersJoinTheSeries(t *testing.T) {
	t.Parallel()
	s := &series{}
	s.add(2, decision.IntValue(1<<40))
	require.Equal(t, []float64{1 << 40}, s.values)
}
