package measure

import (
	"encoding/binary"
	"math/bits"

	"github.com/novacron/dwcp-telemetry/decision"
)

// A cell is cellBytes successive places. It stands for the string of
// stringBytes that starts at the place whose eight bytes have the smallest
// hash: two copies of a text choose the same place however they are shifted
// against each other (Broder 1997, Schleimer, Wilkerson and Aiken 2003).
const (
	stringBytes = 32
	cellBytes   = windowBytes - stringBytes
	minCells    = 16 // fewer say nothing

	maxCells  = wholeBytes / cellBytes
	tableSize = 1024 // a power of two, over three times maxCells
)

// repeats counts how often each cell's string was seen.
type repeats struct {
	table   [tableSize]uint64 // fingerprints, 0 for none
	many    [tableSize]bool   // seen more than once
	cells   int
	singles int // strings seen once
}

func (r *repeats) reset() { *r = repeats{} }

func (r *repeats) add(window []byte) {
	for places := len(window) - stringBytes + 1; places >= cellBytes; places -= cellBytes {
		r.see(fingerprint(window))
		window = window[cellBytes:]
	}
}

func (r *repeats) see(hash uint64) {
	r.cells++
	slot := hash % tableSize
	for r.table[slot] != 0 && r.table[slot] != hash {
		slot = (slot + 1) % tableSize
	}
	switch {
	case r.table[slot] == 0:
		r.table[slot] = hash
		r.singles++
	case !r.many[slot]:
		r.many[slot] = true
		r.singles--
	}
}

// percent is 1 − singles ÷ cells: the share of the cells that have a twin in the
// sample, which is what Good and Turing (Good 1953) estimate the share of the
// payload to be that repeats what the sample holds.
func (r *repeats) percent() decision.Opt[float64] {
	if r.cells < minCells {
		return decision.Opt[float64]{}
	}
	return decision.Some(100 * float64(r.cells-r.singles) / float64(r.cells))
}

// fingerprint hashes the string that the cell at the start of p stands for. It
// is never 0.
func fingerprint(p []byte) uint64 {
	const placeBits = 1<<6 - 1 // the place is kept in the bits of its hash that matter least
	best := ^uint64(0)
	for i := range cellBytes {
		hash := binary.LittleEndian.Uint64(p[i:i+8]) * 0x9e3779b97f4a7c15
		best = min(best, hash&^placeBits|uint64(i))
	}
	at := best & placeBits
	s := p[at : at+stringBytes]
	hash := uint64(0x2545f4914f6cdd1d)
	for len(s) >= 8 {
		hi, lo := bits.Mul64(hash^binary.LittleEndian.Uint64(s), 0xd6e8feb86659fd93)
		hash = hi ^ lo
		s = s[8:]
	}
	return mix(hash) | 1
}
