package boost

// sums are of the rows in a bin, or in several.
type sums struct {
	gradient, hessian float64
	rows              int
}

func (s *sums) add(o sums) {
	s.gradient += o.gradient
	s.hessian += o.hessian
	s.rows += o.rows
}

func (s sums) minus(o sums) sums {
	return sums{s.gradient - o.gradient, s.hessian - o.hessian, s.rows - o.rows}
}

// gain is what these rows lower the loss by with a value of their own.
func (s sums) gain() float64 { return s.gradient * s.gradient / (s.hessian + leastHessian) }

// leastHessian keeps rows that are certain already from dividing by zero.
const leastHessian = 1e-15

// histogram is the sums of a leaf's rows by bin.
type histogram [maxBins + 1]sums

// fill sums up rows; the gradients are in the order of rows.
func (h *histogram) fill(bins []uint8, rows []int32, gradients []gradient) {
	*h = histogram{}
	for i, row := range rows {
		s := &h[bins[row]]
		s.gradient += gradients[i].first
		s.hessian += gradients[i].second
		s.rows++
	}
}

// subtract leaves what the other half of a leaf holds.
func (h *histogram) subtract(half *histogram) {
	for b := range h {
		h[b] = h[b].minus(half[b])
	}
}

// split is the best way found to divide a leaf.
type split struct {
	gain        float64 // 0: there is none
	column      int
	cut         uint8
	missingLeft bool
	left        sums
}

// minHessian is scikit-learn's: a side whose rows are certain is not split off.
const minHessian = 1e-3

// best looks at every place to divide, with what is missing on the right, and
// where there is any on the left as well.
func (h *histogram) best(bins int, all sums, minRows int) (found split) {
	none := h[missing].rows == 0
	consider := func(left sums, cut int, missingLeft bool) {
		right := all.minus(left)
		if left.rows < minRows || right.rows < minRows || left.hessian < minHessian || right.hessian < minHessian {
			return
		}
		if gain := left.gain() + right.gain() - all.gain(); gain > found.gain {
			// What was never missing in training goes where most rows went.
			found = split{gain: gain, cut: uint8(cut), missingLeft: missingLeft || none && left.rows > right.rows, left: left}
		}
	}
	// Of cuts with the same rows on each side the one is taken that
	// scikit-learn takes: next to the rows that are not with the missing ones.
	withoutMissing, withMissing := sums{}, h[missing]
	for b := range bins {
		withoutMissing.add(h[b])
		if h[b].rows > 0 && (b < bins-1 || !none) {
			consider(withoutMissing, b, false)
		}
	}
	for b := 0; b < bins-1 && !none; b++ {
		withMissing.add(h[b])
		if h[b+1].rows > 0 {
			consider(withMissing, b, true)
		}
	}
	return found
}
