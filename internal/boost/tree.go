package boost

// node is a split, or a leaf. What is in a bin up to cut goes left.
type node struct {
	leaf        bool
	missingLeft bool
	cut         uint8
	column      int32
	left, right int32
	value       float64 // of a leaf: what is added to the log odds
	gain        float64 // of a split
}

// tree is its nodes, the root first.
type tree []node

// rowsPerWork is how many rows are scored at a time.
const rowsPerWork = 4096

// addTo adds the tree's values to the scores of the rows.
func (t tree) addTo(scores []float64, rows *Binned) {
	inParallel((len(scores)+rowsPerWork-1)/rowsPerWork, func(w int) {
		for i := w * rowsPerWork; i < min((w+1)*rowsPerWork, len(scores)); i++ {
			scores[i] += t.value(rows, i)
		}
	})
}

func (t tree) value(rows *Binned, row int) float64 {
	n := &t[0]
	for !n.leaf {
		if n.goesLeft(rows.bins[n.column][row]) {
			n = &t[n.left]
		} else {
			n = &t[n.right]
		}
	}
	return n.value
}

func (n *node) goesLeft(bin uint8) bool {
	if bin == missing {
		return n.missingLeft
	}
	return bin <= n.cut
}
