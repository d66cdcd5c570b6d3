package validate

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
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

func TestOutliersLieBeyondTheFences(t *testing.T) {
	t.Parallel()
	// Quartiles of 10, 20, 30, 40, 100 are 20 and 40: fences -10 and 70.
	low, high := fences([]float64{10, 20, 30, 40, 100}, 1.5)
	require.Equal(t, []float64{-10, 70}, []float64{low, high})
	values := []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 100}
	require.Equal(t, 0.1, beyond(values, 1.5))
	require.Equal(t, 0.2, beyond(append([]float64{-100}, values[1:]...), 1.5))
}

func TestValueOnTheFenceIsNoOutlier(t *testing.T) {
	t.Parallel()
	values := []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}
	low, high := fences(values, 1.5)
	values[0], values[10] = low, high // the quartiles stay
	require.Zero(t, beyond(values, 1.5))
	values[0]--
	require.NotZero(t, beyond(values, 1.5))
}

func TestEqualValuesHaveNoOutliers(t *testing.T) {
	t.Parallel()
	require.Zero(t, beyond([]float64{5, 5, 5, 5}, 1.5))
	require.Zero(t, beyond([]float64{-4, -3, -2, -1, 0, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 6, 7, 8, 9, 10}, 1.5), "fences without a width say nothing")
}

func TestAChoiceOfFewValuesHasNoOutliers(t *testing.T) {
	t.Parallel()
	require.Zero(t, beyond([]float64{1, 1, 2, 2, 2, 3, 3, 3, 3, 64}, 1.5))
}

// A length that doubles and doubles again has outliers only on its own scale.
func TestWhatIsAboveZeroIsJudgedOnItsLogarithm(t *testing.T) {
	t.Parallel()
	var values []float64
	for i := range 40 {
		values = append(values, math.Pow(2, float64(i)/2))
	}
	f := describe(values, 1.5)
	require.True(t, f.LogScale)
	require.NotZero(t, f.Outliers)
	require.Zero(t, f.LogOutliers)
	require.False(t, describe([]float64{0, 1, 2}, 1.5).LogScale)
}

func TestHistogramCountsEveryValueByItsLabel(t *testing.T) {
	t.Parallel()
	values := []float64{1, 10, 100, 1000, 10_000, math.NaN(), 5}
	labels := []int8{0, 0, 1, 1, 1, 0, -1}
	h := histogram(values, labels, present(values))
	require.True(t, h.Log)
	require.Len(t, h.Edges, bins+1)
	require.Equal(t, []float64{2, 3}, []float64{total(h.HDE), total(h.AMST)})
	require.IsIncreasing(t, h.Edges)

	same := histogram([]float64{7, 7}, []int8{0, 1}, []float64{7, 7})
	require.Equal(t, []float64{1, 1}, []float64{total(same.HDE), total(same.AMST)})
	require.IsIncreasing(t, same.Edges)
}

func total(counts []int64) (all float64) {
	for _, n := range counts {
		all += float64(n)
	}
	return all
}
