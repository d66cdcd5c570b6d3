package boost

import (
	"encoding/csv"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

var none = &Data{Columns: [][]float64{nil, nil, nil, nil}}

// withoutPatience are options that grow all trees.
func withoutPatience(trees, leaves int) Options {
	o := DefaultOptions()
	o.Trees, o.Leaves, o.Patience = trees, leaves, 0
	return o
}

// readScikitLearn reads what testdata/scikit_learn.py wrote.
func readScikitLearn(t *testing.T) (data *Data, probabilities []float64) {
	t.Helper()
	file, err := os.Open("testdata/scikit_learn.csv")
	require.NoError(t, err)
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	require.NoError(t, err)
	require.Equal(t, []string{"wide", "few", "gaps", "switch", "label", "probability"}, rows[0])
	data = &Data{Columns: make([][]float64, 4)}
	for _, cells := range rows[1:] {
		values := make([]float64, len(cells))
		for i, cell := range cells {
			if values[i] = math.NaN(); cell != "" {
				values[i], err = strconv.ParseFloat(cell, 64)
				require.NoError(t, err)
			}
		}
		for c := range data.Columns {
			data.Columns[c] = append(data.Columns[c], values[c])
		}
		data.Labels = append(data.Labels, values[4] == 1)
		probabilities = append(probabilities, values[5])
	}
	return data, probabilities
}

func TestProbabilitiesAreScikitLearns(t *testing.T) {
	t.Parallel()
	data, want := readScikitLearn(t)
	require.Len(t, want, 1200)
	m := Fit(data, none, withoutPatience(40, 15))
	for i, score := range m.Scores(m.Bin(data.Columns)) {
		// scikit-learn keeps gradients as float32.
		require.InDelta(t, want[i], Probability(score), 1e-4, "row %d", i)
	}
}

// twoSides is 20 rows of -1 with label false and 20 of +1 with label true.
func twoSides() *Data {
	d := &Data{Columns: [][]float64{nil}}
	for i := range 40 {
		d.Columns[0] = append(d.Columns[0], float64(i/20*2-1))
		d.Labels = append(d.Labels, i >= 20)
	}
	return d
}

func TestOneSplitIsWorthWhatWorksOutByHand(t *testing.T) {
	t.Parallel()
	d := twoSides()
	m := Fit(d, &Data{Columns: [][]float64{nil}}, withoutPatience(1, 2))
	require.Equal(t, 1, m.Trees())
	// Log odds 0, so each gradient is ±0.5 and each hessian 0.25: a leaf is
	// 0.1 × 10 / 5 = 0.2.
	scores := m.Scores(m.Bin([][]float64{{-1, 1, -0.001, 0.001, math.Inf(1)}}))
	for i, want := range []float64{-0.2, 0.2, -0.2, 0.2, 0.2} {
		require.InDelta(t, want, scores[i], 1e-12, "row %d", i)
	}
	require.Equal(t, []float64{1}, m.Gains())
}

func TestLeafNeedsItsRows(t *testing.T) {
	t.Parallel()
	d := twoSides()
	o := withoutPatience(5, 2)
	o.MinLeafRows = 21
	require.Zero(t, Fit(d, &Data{Columns: [][]float64{nil}}, o).Trees())
}

func TestMissingValueGoesWhereItBelongs(t *testing.T) {
	t.Parallel()
	for _, label := range []bool{true, false} {
		d := twoSides()
		for range 20 {
			d.Columns[0] = append(d.Columns[0], math.NaN())
			d.Labels = append(d.Labels, label)
		}
		m := Fit(d, &Data{Columns: [][]float64{nil}}, withoutPatience(50, 4))
		scores := m.Scores(m.Bin([][]float64{{math.NaN(), -1, 1}}))
		require.Equal(t, []bool{label, false, true}, []bool{scores[0] > 0, scores[1] > 0, scores[2] > 0})
	}
}

func TestWhatIsMissingOnlyLaterGoesWithTheMost(t *testing.T) {
	t.Parallel()
	d := twoSides()
	for range 60 {
		d.Columns[0] = append(d.Columns[0], 1)
		d.Labels = append(d.Labels, true)
	}
	m := Fit(d, &Data{Columns: [][]float64{nil}}, withoutPatience(20, 2))
	require.Positive(t, m.Scores(m.Bin([][]float64{{math.NaN()}}))[0])
}

// chance is rows of which only the first column says anything.
func chance(rows int, seed uint64) *Data {
	random := rand.New(rand.NewPCG(seed, 1))
	d := &Data{Columns: make([][]float64, 4)}
	for range rows {
		for c := range d.Columns {
			d.Columns[c] = append(d.Columns[c], random.NormFloat64())
		}
		d.Labels = append(d.Labels, d.Columns[0][len(d.Labels)]+random.NormFloat64() > 0)
	}
	return d
}

func TestGrowthStopsWhenNothingGetsBetter(t *testing.T) {
	t.Parallel()
	train, validation := chance(1000, 1), chance(1000, 2)
	o := withoutPatience(200, 31)
	all := Fit(train, validation, o)
	o.Patience = 10
	stopped := Fit(train, validation, o)
	require.Equal(t, 200, all.Trees())
	require.Positive(t, stopped.Trees())
	require.Less(t, stopped.Trees(), 100)
	loss := func(m *Model) float64 { return logLoss(m.Scores(m.Bin(validation.Columns)), validation.Labels) }
	require.Less(t, loss(stopped), loss(all))
}

func TestOneLabelOnlyIsLearned(t *testing.T) {
	t.Parallel()
	d := chance(100, 1)
	clear(d.Labels)
	m := Fit(d, none, DefaultOptions())
	for _, score := range m.Scores(m.Bin(d.Columns)) {
		require.Negative(t, score)
	}
}

func TestNoRowsMakeAModelThatKnowsNothing(t *testing.T) {
	t.Parallel()
	m := Fit(none, none, DefaultOptions())
	require.Zero(t, m.Trees())
	require.Empty(t, m.Scores(m.Bin(none.Columns)))
}

// It changes GOMAXPROCS, so it is not parallel.
func TestModelIsTheSameOnAnyNumberOfCores(t *testing.T) {
	train, validation := chance(5000, 3), chance(500, 4)
	var scores [][]float64
	for _, cores := range []int{1, 2, 3} {
		before := runtime.GOMAXPROCS(cores)
		m := Fit(train, validation, DefaultOptions())
		scores = append(scores, m.Scores(m.Bin(validation.Columns)))
		runtime.GOMAXPROCS(before)
	}
	require.Equal(t, scores[0], scores[1])
	require.Equal(t, scores[0], scores[2])
}

func TestColumnsMoveTogether(t *testing.T) {
	t.Parallel()
	d := twoSides()
	m := Fit(d, &Data{Columns: [][]float64{nil}}, withoutPatience(10, 2))
	rows := m.Bin([][]float64{{-1, 1}})
	moved := rows.Permuted([]int{0}, []int{1, 0})
	before, after := m.Scores(rows), m.Scores(moved)
	require.Equal(t, []float64{before[1], before[0]}, after)
	require.Equal(t, before, m.Scores(rows), "the rows themselves stay")
}

func BenchmarkFit(b *testing.B) {
	train := chance(70_000, 5)
	for b.Loop() {
		Fit(train, none, withoutPatience(100, 31))
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*100), "µs/tree")
}
