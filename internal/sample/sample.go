// Package sample reads decisions from files and carries the sample: 6,611
// decisions measured on DWCP's own HDE and AMST code (NovaCron, MIT licence) on
// 23 November 2026. Both algorithms were run for every payload, on emulated
// links; values are as they came, so one CPU share lies above 100 and is
// rejected downstream.
//
// A file is NDJSON: an object a line, members named as the table's columns,
// null or absent for missing, times in RFC 3339.
package sample

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"io"
	"iter"

	"github.com/novacron/dwcp-telemetry/decision"
)

//go:embed dwcp_measured.ndjson.gz
var measured []byte

// Measured returns the decisions of the sample, in order of time.
func Measured() iter.Seq2[decision.Decision, error] {
	return func(yield func(decision.Decision, error) bool) {
		file, err := gzip.NewReader(bytes.NewReader(measured))
		if err != nil {
			yield(decision.Decision{}, err)
			return
		}
		Read(file)(yield)
	}
}

// Open reads NDJSON that may be compressed with gzip.
func Open(r io.Reader) (io.Reader, error) {
	var magic [2]byte
	n, err := io.ReadFull(r, magic[:])
	if err != nil && n == 0 && err != io.EOF {
		return nil, err
	}
	whole := io.MultiReader(bytes.NewReader(magic[:n]), r)
	if n == 2 && magic == [2]byte{0x1f, 0x8b} {
		return gzip.NewReader(whole)
	}
	return whole, nil
}
