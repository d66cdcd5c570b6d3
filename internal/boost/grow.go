package boost

// gradient of the loss by a row's score, first and second derivative.
type gradient struct{ first, second float64 }

// grower grows trees on the same rows and keeps the memory for the next one.
type grower struct {
	options   Options
	data      *Binned
	used      []int // bins by column
	gradients []gradient
	rows      []int32 // each leaf's rows stand together
	ordered   []gradient
	aside     []int32
	spare     [][]histogram
	leaves    []*leaf
	nodes     tree
}

// leaf is a leaf while its tree grows.
type leaf struct {
	node       int32
	rows       []int32
	all        sums
	histograms []histogram // by column
	best       split
}

func newGrower(data *Binned, o Options) *grower {
	g := &grower{options: o, data: data, used: make([]int, len(data.bins)), gradients: make([]gradient, data.rows),
		rows: make([]int32, data.rows), ordered: make([]gradient, data.rows), aside: make([]int32, data.rows)}
	for c, bins := range data.bins {
		for _, b := range bins {
			if b != missing {
				g.used[c] = max(g.used[c], int(b)+1)
			}
		}
	}
	return g
}

// grow makes the tree that lowers the loss of these scores most, leaf by leaf.
func (g *grower) grow(scores []float64, labels []bool) tree {
	all := g.derive(scores, labels)
	for i := range g.rows {
		g.rows[i] = int32(i)
	}
	g.nodes, g.leaves = tree{{leaf: true}}, nil
	root := &leaf{rows: g.rows, all: all, histograms: g.histograms()}
	g.measure(root)
	g.leaves = append(g.leaves, root)
	for len(g.leaves) < g.options.Leaves {
		next := 0
		for i, l := range g.leaves {
			if l.best.gain > g.leaves[next].best.gain {
				next = i
			}
		}
		if g.leaves[next].best.gain <= 0 {
			break
		}
		g.divide(next)
	}
	for _, l := range g.leaves {
		g.nodes[l.node].value = -g.options.LearningRate * l.all.gradient / (l.all.hessian + leastHessian)
		g.spare = append(g.spare, l.histograms)
	}
	return g.nodes
}

// derive computes the gradients of the log loss.
func (g *grower) derive(scores []float64, labels []bool) (all sums) {
	for i, s := range scores {
		p := Probability(s)
		d := gradient{p, p * (1 - p)}
		if labels[i] {
			d.first--
		}
		g.gradients[i] = d
		all.add(sums{d.first, d.second, 1})
	}
	return all
}

// addTo adds the last tree to the scores of the rows it grew on.
func (g *grower) addTo(scores []float64) {
	for _, l := range g.leaves {
		value := g.nodes[l.node].value
		for _, row := range l.rows {
			scores[row] += value
		}
	}
}

// divide makes two leaves of one. Only the smaller is summed up; the larger is
// the rest.
func (g *grower) divide(at int) {
	l := g.leaves[at]
	s := l.best
	n := node{cut: s.cut, missingLeft: s.missingLeft, column: int32(s.column), gain: s.gain,
		left: int32(len(g.nodes)), right: int32(len(g.nodes) + 1)}
	g.nodes[l.node] = n
	g.nodes = append(g.nodes, node{leaf: true}, node{leaf: true})
	cut := g.partition(l.rows, &n)
	left := &leaf{node: n.left, rows: l.rows[:cut], all: s.left}
	right := &leaf{node: n.right, rows: l.rows[cut:], all: l.all.minus(s.left)}
	smaller, larger := left, right
	if len(right.rows) < len(left.rows) {
		smaller, larger = right, left
	}
	smaller.histograms, larger.histograms = g.histograms(), l.histograms
	g.measure(smaller)
	g.subtract(larger, smaller)
	g.leaves[at] = left
	g.leaves = append(g.leaves, right)
}

// partition puts the rows that go left before the others, each in their order.
func (g *grower) partition(rows []int32, n *node) (left int) {
	bins, right := g.data.bins[n.column], 0
	for _, row := range rows {
		if n.goesLeft(bins[row]) {
			rows[left] = row
			left++
		} else {
			g.aside[right] = row
			right++
		}
	}
	copy(rows[left:], g.aside[:right])
	return left
}

func (g *grower) histograms() []histogram {
	if n := len(g.spare); n > 0 {
		h := g.spare[n-1]
		g.spare = g.spare[:n-1]
		return h
	}
	return make([]histogram, len(g.data.bins))
}

// measure sums up a leaf and finds its best split.
func (g *grower) measure(l *leaf) {
	ordered := g.ordered[:len(l.rows)]
	for i, row := range l.rows {
		ordered[i] = g.gradients[row]
	}
	g.search(l, func(c int) { l.histograms[c].fill(g.data.bins[c], l.rows, ordered) })
}

// subtract makes a leaf's histograms, which are still its parent's, its own.
func (g *grower) subtract(l, other *leaf) {
	g.search(l, func(c int) { l.histograms[c].subtract(&other.histograms[c]) })
}

// search finds the best split over all columns; of equals the first.
func (g *grower) search(l *leaf, prepare func(column int)) {
	found := make([]split, len(l.histograms))
	inParallel(len(found), func(c int) {
		prepare(c)
		if len(l.rows) >= 2*g.options.MinLeafRows {
			found[c] = l.histograms[c].best(g.used[c], l.all, g.options.MinLeafRows)
		}
	})
	l.best = split{}
	for c, s := range found {
		if s.gain > l.best.gain {
			l.best, l.best.column = s, c
		}
	}
}
