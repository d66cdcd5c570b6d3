package boost

import (
	"math"
	"runtime"
	"slices"
	"sort"
	"sync"
)

// A column's values lie in bins 0..254; missing ones have their own.
const (
	maxBins = 255
	missing = maxBins
)

// Binned is rows of which only the bins are kept.
type Binned struct {
	rows int
	bins [][]uint8 // by column
}

// Bin finds the bins of rows that may be others than those trained on.
func (m *Model) Bin(columns [][]float64) *Binned {
	b := &Binned{bins: make([][]uint8, len(columns))}
	if len(columns) > 0 {
		b.rows = len(columns[0])
	}
	inParallel(len(columns), func(c int) {
		cuts, bins := m.cuts[c], make([]uint8, b.rows)
		for i, x := range columns[c] {
			if math.IsNaN(x) {
				bins[i] = missing
			} else {
				bins[i] = uint8(sort.SearchFloat64s(cuts, x))
			}
		}
		b.bins[c] = bins
	})
	return b
}

// Permuted is these rows with the values of some columns exchanged among them:
// row i has those of row order[i]. The columns move together.
func (b *Binned) Permuted(columns, order []int) *Binned {
	p := &Binned{rows: b.rows, bins: slices.Clone(b.bins)}
	for _, c := range columns {
		moved := make([]uint8, b.rows)
		for i, from := range order {
			moved[i] = b.bins[c][from]
		}
		p.bins[c] = moved
	}
	return p
}

// Rows is some of the rows, in that order.
func (b *Binned) Rows(chosen []int) *Binned {
	some := &Binned{rows: len(chosen), bins: make([][]uint8, len(b.bins))}
	for c, bins := range b.bins {
		some.bins[c] = make([]uint8, len(chosen))
		for i, row := range chosen {
			some.bins[c][i] = bins[row]
		}
	}
	return some
}

// cutsOf divides a column half way between its values where there are few, else
// so that each bin holds about as many rows.
func cutsOf(column []float64) []float64 {
	sorted := slices.DeleteFunc(slices.Clone(column), math.IsNaN)
	slices.Sort(sorted)
	distinct := slices.Compact(slices.Clone(sorted))
	var cuts []float64
	if len(distinct) <= maxBins {
		for i := 1; i < len(distinct); i++ {
			cuts = append(cuts, distinct[i-1]/2+distinct[i]/2) // their sum may overflow
		}
		return cuts
	}
	for b := 1; b < maxBins; b++ {
		cuts = append(cuts, quantile(sorted, b))
	}
	return slices.Compact(cuts)
}

// quantile is the value that b of maxBins parts of the rows are at most; the
// mean of both where it lies between two.
func quantile(sorted []float64, b int) float64 {
	at, rest := b*len(sorted)/maxBins, b*len(sorted)%maxBins
	if rest == 0 {
		return sorted[at-1]/2 + sorted[at]/2
	}
	return sorted[at]
}

// inParallel calls work for 0..n-1 on all cores.
func inParallel(n int, work func(i int)) {
	workers := min(runtime.GOMAXPROCS(0), n)
	if workers <= 1 {
		for i := range n {
			work(i)
		}
		return
	}
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			for i := w; i < n; i += workers {
				work(i)
			}
		})
	}
	all.Wait()
}
