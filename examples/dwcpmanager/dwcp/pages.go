package dwcp

import (
	"bytes"
	"crypto/subtle"
	"encoding/binary"
	"errors"
)

// pageBytes is the unit of comparison with a baseline: the page of a VM's
// memory, and half or a quarter of a database's.
const pageBytes = 4 << 10

// How a page is told.
const (
	pageSame byte = iota // as in the baseline
	pageXOR              // what differs from the baseline's page: mostly zeros
	pageRaw              // as it is
)

// delta tells a payload by its difference to a baseline:
//
//	length of the payload u32, a byte for each page, the pages told by XOR or raw
//
// and returns the share of the pages, in percent, that the baseline held
// unchanged.
func delta(baseline, payload []byte) (told []byte, hitRate float64) {
	pages := (len(payload) + pageBytes - 1) / pageBytes
	told = binary.BigEndian.AppendUint32(make([]byte, 0, 4+pages+len(payload)/4), uint32(len(payload)))
	kinds := len(told)
	told = append(told, make([]byte, pages)...)
	hits := 0
	var changed [pageBytes]byte
	for i := range pages {
		page := pageOf(payload, i)
		old := pageOf(baseline, i)
		switch {
		case bytes.Equal(page, old):
			told[kinds+i] = pageSame
			hits++
		case len(old) == len(page) && mostlySame(changed[:], page, old):
			told[kinds+i] = pageXOR
			told = append(told, changed[:len(page)]...)
		default:
			told[kinds+i] = pageRaw
			told = append(told, page...)
		}
	}
	if pages == 0 {
		return told, 0
	}
	return told, 100 * float64(hits) / float64(pages)
}

// mostlySame leaves the difference of two pages in changed and reports whether
// it is worth telling instead of the page: most of it zeros.
func mostlySame(changed, page, old []byte) bool {
	n := subtle.XORBytes(changed, page, old)
	return bytes.Count(changed[:n], []byte{0}) > n/2
}

// pageOf returns page i, shorter at the end, empty beyond it.
func pageOf(b []byte, i int) []byte {
	begin := min(i*pageBytes, len(b))
	return b[begin:min(begin+pageBytes, len(b))]
}

var errDelta = errors.New("the delta does not fit its baseline")

// undelta is delta's way back; told may be anybody's bytes.
func undelta(baseline, told []byte) ([]byte, error) {
	if len(told) < 4 {
		return nil, errDelta
	}
	length := int(binary.BigEndian.Uint32(told))
	pages := (length + pageBytes - 1) / pageBytes
	if length > MaxTransferBytes || len(told) < 4+pages {
		return nil, errDelta
	}
	kinds, rest := told[4:4+pages], told[4+pages:]
	payload := make([]byte, length)
	for i, kind := range kinds {
		page := pageOf(payload, i)
		old := pageOf(baseline, i)
		if kind == pageSame {
			if len(old) != len(page) {
				return nil, errDelta
			}
			copy(page, old)
			continue
		}
		if len(rest) < len(page) || kind == pageXOR && len(old) != len(page) || kind > pageRaw {
			return nil, errDelta
		}
		if kind == pageXOR {
			subtle.XORBytes(page, rest[:len(page)], old)
		} else {
			copy(page, rest)
		}
		rest = rest[len(page):]
	}
	if len(rest) > 0 {
		return nil, errDelta
	}
	return payload, nil
}
