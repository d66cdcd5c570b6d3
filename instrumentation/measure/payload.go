package measure

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/novacron/dwcp-telemetry/decision"
)

// PayloadSample is what a bounded sample says about a payload.
type PayloadSample struct {
	// EntropyBitsPerByte is the Shannon entropy of the bytes, 0..8, missing for an
	// empty payload.
	EntropyBitsPerByte decision.Opt[float64]
	// RepetitionPercent is the share of the payload that occurs in it more than
	// once, 0..100, missing for a payload of less than 1 KiB.
	RepetitionPercent decision.Opt[float64]
	// Bytes is how many were looked at, at most 16 KiB.
	Bytes int
}

// SampleBytes looks at no more than 16 KiB of a payload, whatever its size, and
// always at the same places.
func SampleBytes(payload []byte) PayloadSample {
	s := samplers.Get().(*sampler)
	defer samplers.Put(s)
	s.reset()
	if len(payload) <= wholeBytes {
		s.add(payload)
		return s.result(true)
	}
	s.offsets = slices.AppendSeq(s.offsets[:0], windowOffsets(int64(len(payload))))
	s.touch(payload)
	for _, at := range s.offsets {
		s.add(payload[at : at+windowBytes])
	}
	return s.result(false)
}

// SampleReaderAt is [SampleBytes] for a payload of that many bytes that is not in
// memory: at most 128 reads of 96 bytes, or one of 16 KiB.
func SampleReaderAt(r io.ReaderAt, size int64) (PayloadSample, error) {
	if size < 0 {
		return PayloadSample{}, fmt.Errorf("sample a payload: its size must be ≥ 0, got %d", size)
	}
	if isNil(r) {
		return PayloadSample{}, errors.New("sample a payload: there is no reader")
	}
	s := samplers.Get().(*sampler)
	defer samplers.Put(s)
	s.reset()
	if size <= wholeBytes {
		if err := s.read(r, 0, int(size)); err != nil {
			return PayloadSample{}, err
		}
		return s.result(true), nil
	}
	for at := range windowOffsets(size) {
		if err := s.read(r, at, windowBytes); err != nil {
			return PayloadSample{}, err
		}
	}
	return s.result(false), nil
}

// Fill writes entropy and repetition into d.
func (p PayloadSample) Fill(d *decision.Decision) {
	d.EntropyEstimate, d.RepetitionScore = p.EntropyBitsPerByte, p.RepetitionPercent
}

// sampler collects what the windows of one payload hold.
type sampler struct {
	bytes   histogram
	repeats repeats
	offsets []int64
	touched byte
	buf     [wholeBytes]byte
}

var samplers = sync.Pool{New: func() any { return new(sampler) }}

func (s *sampler) reset() {
	s.bytes.reset()
	s.repeats.reset()
}

// touch reads a byte of every cache line that will be looked at. The processor
// waits for many of these at once; one after the other, with the work between
// them, a payload that is in no cache takes three times as long.
func (s *sampler) touch(payload []byte) {
	const line = 64
	for _, at := range s.offsets {
		s.touched ^= payload[at] ^ payload[at+line] ^ payload[at+windowBytes-1]
	}
}

func (s *sampler) add(window []byte) {
	s.bytes.add(window)
	s.repeats.add(window)
}

func (s *sampler) read(r io.ReaderAt, at int64, n int) error {
	window := s.buf[:n]
	if got, err := r.ReadAt(window, at); got < n {
		if err == nil || errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return fmt.Errorf("sample a payload: read %d bytes at %d: %w", n, at, err)
	}
	s.add(window)
	return nil
}

// result says what was found; whole says that the windows were all there is.
func (s *sampler) result(whole bool) PayloadSample {
	return PayloadSample{
		EntropyBitsPerByte: s.bytes.entropy(whole),
		RepetitionPercent:  s.repeats.percent(),
		Bytes:              s.bytes.total(),
	}
}
