package dwcp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"github.com/cespare/xxhash/v2"
	"github.com/klauspost/compress/zstd"

	"github.com/novacron/dwcp-telemetry/decision"
)

// Baseline is what both ends hold of a VM. It is never changed: another one
// takes its place.
type Baseline struct {
	number uint64 // XXH64 of the bytes, never 0
	bytes  []byte
}

func newBaseline(bytes []byte) *Baseline {
	return &Baseline{number: max(xxhash.Sum64(bytes), 1), bytes: bytes}
}

// Copy returns a baseline that shares no byte with this one; nil of nil.
func (b *Baseline) Copy() *Baseline {
	if b == nil {
		return nil
	}
	return &Baseline{number: b.number, bytes: slices.Clone(b.bytes)}
}

// HDE is hierarchical delta encoding: pages against the VM's baseline, then
// zstd. Encoding and decoding change nothing in it; [HDE.Commit] alone does.
type HDE struct {
	fast, small *zstd.Encoder
	decoder     *zstd.Decoder

	mu        sync.Mutex
	baselines map[string]*Baseline
}

// NewHDE returns an HDE that holds no baselines.
func NewHDE() (*HDE, error) {
	h := &HDE{baselines: map[string]*Baseline{}}
	var err error
	encoder := func(level zstd.EncoderLevel) *zstd.Encoder {
		// With the host's threads as concurrency no run waits for another.
		e, failed := zstd.NewWriter(nil, zstd.WithEncoderLevel(level), zstd.WithEncoderConcurrency(runtime.GOMAXPROCS(0)),
			zstd.WithWindowSize(1<<20), zstd.WithEncoderCRC(false)) // transfers have a hash of their own
		err = errors.Join(err, failed)
		return e
	}
	h.fast, h.small = encoder(zstd.SpeedFastest), encoder(zstd.SpeedDefault)
	decoder, failed := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(MaxTransferBytes+MaxTransferBytes/8))
	h.decoder = decoder
	if err = errors.Join(err, failed); err != nil {
		return nil, fmt.Errorf("start zstd: %w", err)
	}
	return h, nil
}

// Close frees what zstd holds.
func (h *HDE) Close() {
	_, _ = h.fast.Close(), h.small.Close()
	h.decoder.Close()
}

// Baseline returns the VM's baseline, nil where there is none.
func (h *HDE) Baseline(vm string) *Baseline {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.baselines[vm]
}

// Commit makes a copy of the payload the VM's baseline: the caller may overwrite
// its own with the VM's next state.
func (h *HDE) Commit(vm string, payload []byte) { h.adopt(vm, slices.Clone(payload)) }

// adopt is Commit for bytes that are nobody else's.
func (h *HDE) adopt(vm string, payload []byte) {
	baseline := newBaseline(payload)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.baselines[vm] = baseline
}

// Forget drops the VM's baseline.
func (h *HDE) Forget(vm string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.baselines, vm)
}

// Encoded is what HDE made of a payload.
type Encoded struct {
	Bytes        []byte
	Ratio        float64 // of this run: payload to result
	DeltaHitRate float64 // of this run: percent of the pages found unchanged in the baseline
}

const (
	encodedHeaderBytes = 8 // number of the baseline, 0 without
)

// Encode compresses a payload against a baseline, which may be nil. On links
// within a city it goes for speed, on others for size.
func (h *HDE) Encode(baseline *Baseline, link decision.LinkType, payload []byte) Encoded {
	told, number := payload, uint64(0)
	var e Encoded
	if baseline != nil {
		told, e.DeltaHitRate = delta(baseline.bytes, payload)
		number = baseline.number
	}
	encoder := h.small
	if link == decision.DC || link == decision.Metro {
		encoder = h.fast
	}
	e.Bytes = binary.BigEndian.AppendUint64(make([]byte, 0, encodedHeaderBytes+len(told)/2), number)
	e.Bytes = encoder.EncodeAll(told, e.Bytes)
	e.Ratio = float64(len(payload)) / float64(len(e.Bytes))
	return e
}

// ErrUnknownBaseline is why a receiver cannot decode: it holds another baseline.
var ErrUnknownBaseline = errors.New("encoded against a baseline that is not here")

// Decode is Encode's way back; encoded may be anybody's bytes.
func (h *HDE) Decode(baseline *Baseline, encoded []byte) ([]byte, error) {
	if len(encoded) < encodedHeaderBytes {
		return nil, errors.New("decode: too short")
	}
	number := binary.BigEndian.Uint64(encoded)
	if number != 0 && (baseline == nil || baseline.number != number) {
		return nil, ErrUnknownBaseline
	}
	told, err := h.decoder.DecodeAll(encoded[encodedHeaderBytes:], nil)
	if err != nil {
		return nil, fmt.Errorf("decode: %w", err)
	}
	if number == 0 {
		return told, nil
	}
	payload, err := undelta(baseline.bytes, told)
	if err != nil {
		return nil, fmt.Errorf("decode: %w", err)
	}
	return payload, nil
}
