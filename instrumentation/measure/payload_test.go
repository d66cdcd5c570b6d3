package measure

import (
	"bytes"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
)

func TestEmptyAndTinyPayloads(t *testing.T) {
	t.Parallel()
	assert.Equal(t, PayloadSample{}, SampleBytes(nil))
	got, err := SampleReaderAt(bytes.NewReader(nil), 0)
	require.NoError(t, err)
	assert.Equal(t, PayloadSample{}, got)

	one := SampleBytes([]byte{7})
	assert.Equal(t, PayloadSample{EntropyBitsPerByte: decision.Some(0.0), Bytes: 1}, one)

	short := SampleBytes(make([]byte, 1023+stringBytes-1))
	assert.True(t, short.EntropyBitsPerByte.Set)
	assert.False(t, short.RepetitionPercent.Set, "too short to say what repeats")
	assert.Equal(t, decision.Some(100.0), SampleBytes(make([]byte, 1024+stringBytes-1)).RepetitionPercent)
}

func TestReaderAndBytesAgree(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1, 1000, wholeBytes, wholeBytes + 1, 20_000, 32 << 10, 64 << 10, 512<<10 + 17, 3 << 20} {
		payload := memoryPages(t, size)
		path := filepath.Join(t.TempDir(), "payload")
		require.NoError(t, os.WriteFile(path, payload, 0o600))
		file, err := os.Open(path)
		require.NoError(t, err)
		defer file.Close()
		got, err := SampleReaderAt(file, int64(size))
		require.NoError(t, err)
		assert.Equal(t, SampleBytes(payload), got, size)
		assert.Equal(t, got, SampleBytes(payload), "the same places again")
	}
}

// spyReader says where it was read.
type spyReader struct {
	t       *testing.T
	size    int64
	offsets []int64
	bytes   int
	nothing error
}

func (s *spyReader) ReadAt(p []byte, at int64) (int, error) {
	if s.nothing != nil {
		return 0, s.nothing
	}
	assert.LessOrEqual(s.t, at, s.size-int64(len(p)))
	s.offsets = append(s.offsets, at)
	s.bytes += len(p)
	return len(p), nil
}

func TestASampleIsBoundedWhateverTheSize(t *testing.T) {
	t.Parallel()
	for size := int64(1); size > 0; size = size*3 + 1 {
		spy := &spyReader{t: t, size: size}
		got, err := SampleReaderAt(spy, size)
		require.NoError(t, err)
		assert.LessOrEqual(t, len(spy.offsets), windows)
		assert.LessOrEqual(t, spy.bytes, wholeBytes)
		assert.Equal(t, spy.bytes, got.Bytes)
		assert.GreaterOrEqual(t, int64(spy.bytes), min(size, 3072), size)
		slices.Sort(spy.offsets)
		for i := range spy.offsets[1:] {
			assert.GreaterOrEqual(t, spy.offsets[i+1]-spy.offsets[i], int64(windowBytes), "%d: windows overlap", size)
		}
	}
	spy := &spyReader{t: t, size: math.MaxInt64}
	_, err := SampleReaderAt(spy, math.MaxInt64)
	require.NoError(t, err)
	assert.Len(t, spy.offsets, windows)
	assert.Greater(t, slices.Max(spy.offsets), int64(math.MaxInt64/100*98), "the end is looked at too")
}

func TestWindowsTakeEveryPhaseAndReachEveryPart(t *testing.T) {
	t.Parallel()
	for _, size := range []int64{64 << 10, 512 << 10, 1 << 20, 100 << 20, 1 << 30} {
		var perPhase [phases]int
		var perPart [16]int
		for at := range windowOffsets(size) {
			perPhase[at%pageBytes/(pageBytes/phases)]++
			perPart[at*16/size]++
		}
		for _, n := range perPhase {
			assert.InDelta(t, windows/phases, n, 6, "%d: phases %v", size, perPhase)
		}
		for _, n := range perPart {
			assert.InDelta(t, windows/16, n, 2, "%d: parts %v", size, perPart)
		}
	}
}

func TestReaderThatFailsIsNamed(t *testing.T) {
	t.Parallel()
	broken := errors.New("the disk is on fire")
	_, err := SampleReaderAt(&spyReader{t: t, nothing: broken}, 1<<20)
	assert.ErrorIs(t, err, broken)
	assert.ErrorContains(t, err, "sample a payload: read 96 bytes at ")

	_, err = SampleReaderAt(bytes.NewReader(make([]byte, 1<<20)), 2<<20)
	assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
	_, err = SampleReaderAt(nil, 5)
	assert.EqualError(t, err, "sample a payload: there is no reader")
	_, err = SampleReaderAt((*os.File)(nil), 5)
	assert.EqualError(t, err, "sample a payload: there is no reader")
	_, err = SampleReaderAt(bytes.NewReader(nil), -1)
	assert.EqualError(t, err, "sample a payload: its size must be ≥ 0, got -1")
}

func TestFillWritesTheEventsFields(t *testing.T) {
	t.Parallel()
	var d decision.Decision
	SampleBytes(randomBytes(1, 1<<20)).Fill(&d)
	assert.InDelta(t, 8, d.EntropyEstimate.Value, 0.02)
	assert.Equal(t, decision.Some(0.0), d.RepetitionScore)
}

func FuzzSampleStaysInRange(f *testing.F) {
	f.Add([]byte(nil), uint16(1))
	f.Add([]byte{0}, uint16(20_000))
	f.Add([]byte("abc"), uint16(7000))
	f.Add(randomBytes(1, 300), uint16(200))
	f.Fuzz(func(t *testing.T, part []byte, times uint16) {
		payload := bytes.Repeat(part, int(times))
		if len(payload) > 1<<20 {
			payload = payload[:1<<20]
		}
		got := SampleBytes(payload)
		var d decision.Decision
		got.Fill(&d)
		assert.Nil(t, decision.Column("entropy_estimate").Check(&d))
		assert.Nil(t, decision.Column("repetition_score").Check(&d))
		assert.Equal(t, len(payload) > 0, got.EntropyBitsPerByte.Set)
		read, err := SampleReaderAt(bytes.NewReader(payload), int64(len(payload)))
		assert.NoError(t, err)
		assert.Equal(t, got, read)
	})
}
