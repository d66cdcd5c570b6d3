package measure

import (
	"bytes"
	"compress/flate"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// full computes over the whole payload what a sample estimates.
func full(p []byte) (entropyBits, repeatsPercent float64) {
	var counts [256]int
	for _, b := range p {
		counts[b]++
	}
	for _, n := range counts {
		if n > 0 {
			share := float64(n) / float64(len(p))
			entropyBits -= share * math.Log2(share)
		}
	}
	seen := map[uint64]int{}
	cells := 0
	for rest := p; len(rest) >= cellBytes+stringBytes-1; rest = rest[cellBytes:] {
		seen[fingerprint(rest)]++
		cells++
	}
	repeated := 0
	for _, n := range seen {
		if n > 1 {
			repeated += n
		}
	}
	return entropyBits, 100 * float64(repeated) / float64(cells)
}

// saved is the share that compressing takes off, in percent.
func saved(t *testing.T, p []byte) float64 {
	t.Helper()
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestSpeed)
	require.NoError(t, err)
	_, err = w.Write(p)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return 100 - 100*float64(out.Len())/float64(len(p))
}

// Run it with -v for the table of docs/measure.md.
func TestSampleIsCloseToTheFullComputation(t *testing.T) {
	t.Parallel()
	t.Log("| payload | MiB | entropy: sample | full | off | repetition: sample | full | off |")
	for _, kind := range kinds {
		for _, size := range []int{64 << 10, 1 << 20, 8 << 20} {
			payload := kind.make(t, size)
			require.Len(t, payload, size)
			bits, percent := full(payload)
			got := SampleBytes(payload)
			require.True(t, got.EntropyBitsPerByte.Set)
			require.True(t, got.RepetitionPercent.Set)
			t.Logf("| %s | %.4g | %.2f | %.2f | %+.2f | %.0f | %.0f | %+.0f |", kind.name, float64(size)/(1<<20),
				got.EntropyBitsPerByte.Value, bits, got.EntropyBitsPerByte.Value-bits,
				got.RepetitionPercent.Value, percent, got.RepetitionPercent.Value-percent)
			assert.InDelta(t, bits, got.EntropyBitsPerByte.Value, kind.bits+1e-9, "%s, %d bytes: entropy", kind.name, size)
			assert.InDelta(t, percent, got.RepetitionPercent.Value, kind.percent+1e-9, "%s, %d bytes: repetition", kind.name, size)
		}
	}
}

func TestSmallPayloadIsReadWholeAndExact(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds {
		payload := kind.make(t, 1<<20)[:wholeBytes]
		bits, percent := full(payload)
		got := SampleBytes(payload)
		assert.InDelta(t, bits, got.EntropyBitsPerByte.Value, 1e-9, kind.name)
		assert.InDelta(t, percent, got.RepetitionPercent.Value, 1e-9, kind.name)
		assert.Equal(t, wholeBytes, got.Bytes)
	}
}

func TestRepetitionRisesWithWhatCompressingSaves(t *testing.T) {
	t.Parallel()
	const pages = 512
	fill := map[string]func(page []byte){
		"zero pages":   func(page []byte) { clear(page) },
		"shared pages": func(page []byte) { copy(page, randomBytes(11, pageBytes)) },
	}
	for name, like := range fill {
		lastScore, lastSaved := -1.0, -1.0
		for eighths := range 9 {
			payload := randomBytes(12, pages*pageBytes)
			for i := range pages {
				if mix(uint64(i))%8 < uint64(eighths) {
					like(payload[i*pageBytes : (i+1)*pageBytes])
				}
			}
			score := SampleBytes(payload).RepetitionPercent.Value
			assert.InDelta(t, 100*float64(eighths)/8, score, 13, "%s, %d eighths", name, eighths)
			assert.Greater(t, score, lastScore, "%s, %d eighths", name, eighths)
			lastScore = score
			if name == "zero pages" { // flate's window holds no more than 8 pages
				save := saved(t, payload)
				assert.Greater(t, save, lastSaved)
				assert.InDelta(t, save, score, 15)
				lastSaved = save
			}
		}
	}
}

func TestEntropyOfKnownDistributions(t *testing.T) {
	t.Parallel()
	of := func(values int) []byte {
		p := make([]byte, 4096)
		for i := range p {
			p[i] = byte(i % values)
		}
		return p
	}
	for values, want := range map[int]float64{1: 0, 2: 1, 4: 2, 16: 4, 256: 8} {
		assert.InDelta(t, want, SampleBytes(of(values)).EntropyBitsPerByte.Value, 1e-12, "%d values", values)
	}
	// Three quarters of one value, a quarter of another: 0.8113 bits.
	p := append(bytes.Repeat([]byte{'a'}, 3000), bytes.Repeat([]byte{'b'}, 1000)...)
	assert.InDelta(t, 0.811278, SampleBytes(p).EntropyBitsPerByte.Value, 1e-6)
}

// Random bytes have 8 bits each; a sample of 12 KiB has 0.015 too few without the
// correction.
func TestMillerMadowTakesTheBiasOff(t *testing.T) {
	t.Parallel()
	var plain, corrected float64
	const rounds = 64
	for seed := range rounds {
		var h histogram
		h.add(randomBytes(byte(seed), windows*windowBytes))
		plain += 8 - h.entropy(true).Value
		corrected += 8 - h.entropy(false).Value
	}
	assert.InDelta(t, 0.015, plain/rounds, 0.002)
	assert.Less(t, math.Abs(corrected/rounds), 0.001)
}
