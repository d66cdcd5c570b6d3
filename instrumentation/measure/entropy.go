package measure

import (
	"math"

	"github.com/novacron/dwcp-telemetry/decision"
)

// histogram counts byte values, in four parts so that a run of one value does
// not wait for its own counter.
type histogram struct {
	parts [4][256]uint32
}

func (h *histogram) reset() { *h = histogram{} }

func (h *histogram) add(p []byte) {
	for len(p) >= 8 {
		h.parts[0][p[0]]++
		h.parts[1][p[1]]++
		h.parts[2][p[2]]++
		h.parts[3][p[3]]++
		h.parts[0][p[4]]++
		h.parts[1][p[5]]++
		h.parts[2][p[6]]++
		h.parts[3][p[7]]++
		p = p[8:]
	}
	for _, b := range p {
		h.parts[0][b]++
	}
}

func (h *histogram) count(b int) uint64 {
	return uint64(h.parts[0][b]) + uint64(h.parts[1][b]) + uint64(h.parts[2][b]) + uint64(h.parts[3][b])
}

func (h *histogram) total() int {
	n := uint64(0)
	for b := range 256 {
		n += h.count(b)
	}
	return int(n)
}

// entropy is Shannon's (1948) over the relative frequencies. A sample has too
// little of it, because rare values are not in it; Miller and Madow (1955) add
// (values seen − 1) ÷ (2 × bytes × ln 2) bits for that.
func (h *histogram) entropy(whole bool) decision.Opt[float64] {
	var sum float64 // of n log2 n
	total, values := uint64(0), 0
	for b := range 256 {
		if n := h.count(b); n > 0 {
			total += n
			values++
			sum += float64(n) * math.Log2(float64(n))
		}
	}
	if total == 0 {
		return decision.Opt[float64]{}
	}
	bits := math.Log2(float64(total)) - sum/float64(total)
	if !whole {
		bits += float64(values-1) / (2 * math.Ln2 * float64(total))
	}
	return decision.Some(max(0, min(bits, 8)))
}
