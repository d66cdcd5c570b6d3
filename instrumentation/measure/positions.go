package measure

import (
	"iter"
	"math/bits"
)

// What is looked at of a payload: all of a small one, else windows windows of
// windowBytes, spread over it.
const (
	windowBytes = 96
	windows     = 1 << windowBits
	windowBits  = 7
	wholeBytes  = 16 << 10 // up to here a payload is read whole

	// pageBytes is the unit in which memory and disks repeat.
	pageBytes = 4096
	phases    = 8
)

// phaseOffsets are the places in a page where windows lie, one in each eighth.
// A few fixed ones, so that two copies of a page are looked at in the same
// place; odd ones, so that nothing aligned is favoured.
var phaseOffsets = [phases]int64{37, 512 + 201, 1024 + 129, 1536 + 3, 2048 + 251, 2560 + 89, 3072 + 165, 3584 + 111}

// windowOffsets yields where the windows of a payload of more than wholeBytes
// start, page after page and never overlapping. Each of as many equal strata
// as there are windows has one, on a page of it that looks like chance but is
// always the same. Where two kinds of pages take turns with any period of 2 to
// 256 pages, the windows find the share of one kind to 2 % in the mean, 13 % at
// worst.
func windowOffsets(size int64) iter.Seq[int64] {
	return func(yield func(int64) bool) {
		pages := (size-1)/pageBytes + 1
		last, onPage := int64(-1), uint64(0)
		for i := range uint64(windows) {
			page := pageOf(i, pages)
			if page != last {
				last, onPage = page, 0
			}
			phase := (mix(uint64(page)) + onPage) % phases
			if pages >= windows {
				phase = (i*5 + i/phases) % phases // all of them alike; never twice on a page
			}
			onPage++
			offset := page*pageBytes + phaseOffsets[phase]
			if onPage > phases || offset > size-windowBytes {
				continue
			}
			if !yield(offset) {
				return
			}
		}
	}
}

// pageOf is the page of window i: the whole part of (i + chance) × pages ÷ windows.
func pageOf(i uint64, pages int64) int64 {
	const chanceBits = 16
	hi, lo := bits.Mul64(i<<chanceBits|mix(i)>>(64-chanceBits), uint64(pages))
	return int64(hi<<(64-chanceBits-windowBits) | lo>>(chanceBits+windowBits))
}

// mix is the finalizer of SplitMix64 (Steele, Lea and Flood 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
