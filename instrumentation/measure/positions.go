package measure

import "iter"

// What is looked at of a payload: all of a small one, else windows windows of
// windowBytes, spread over it.
const (
	windowBytes = 256
	windows     = 64
	wholeBytes  = windows * windowBytes // up to here a payload is read whole

	// pageBytes is the unit in which memory and disks repeat.
	pageBytes = 4096
	phases    = 8
)

// phaseOffsets are the places in a page where windows lie, one in each eighth.
// A few fixed ones, so that two copies of a page are looked at in the same
// place; odd ones, so that nothing aligned is favoured.
var phaseOffsets = [phases]int64{37, 512 + 201, 1024 + 129, 1536 + 3, 2048 + 251, 2560 + 89, 3072 + 165, 3584 + 111}

// windowOffsets yields where the windows of a payload of more than wholeBytes
// start. The payload is cut into as many strata as there are windows, each
// window lies on a page of its stratum that looks like chance but is always the
// same one, and the phases take turns. Windows never overlap.
func windowOffsets(size int64) iter.Seq[int64] {
	pages := (size + pageBytes - 1) / pageBytes
	return func(yield func(int64) bool) {
		ordinal, last := int64(0), int64(-1)
		for i := range int64(windows) {
			page, end := i*pages/windows, (i+1)*pages/windows
			if end > page {
				page += int64(mix(uint64(i)) % uint64(end-page))
			}
			if page != last {
				ordinal, last = 0, page
			}
			phase := (mix(uint64(page)) + uint64(ordinal)) % phases
			if pages >= windows {
				phase = uint64(i*5+i/phases) % phases
			}
			offset := page*pageBytes + phaseOffsets[phase]
			ordinal++
			if ordinal > phases || offset+windowBytes > size {
				continue
			}
			if !yield(offset) {
				return
			}
		}
	}
}

// mix is the finalizer of SplitMix64 (Steele, Lea, Flood 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
