package instrumentation

import (
	"context"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func taken(ratio float64, requestID string) bool {
	var s sampler
	s.set(ratio)
	_, taken := s.take(requestID)
	return taken
}

// Hosts agree only as long as nobody changes the hash: these are XXH64 with
// seed 0, its published value for "" among them.
func TestSamplingPositionsAreFixed(t *testing.T) {
	t.Parallel()
	assert.Equal(t, float64(uint64(0xef46db3751d8e999)>>11)/(1<<53), position(""))
	assert.Equal(t, float64(uint64(0xd24ec4f1a98c6e5b)>>11)/(1<<53), position("a"))
	assert.Equal(t, float64(uint64(0x44bc2cf5ad770999)>>11)/(1<<53), position("abc"))
}

func TestHigherRatioOnlyAdds(t *testing.T) {
	t.Parallel()
	ratios := []float64{0, 0.01, 0.1, 0.5, 0.9, 1}
	for i := range 5000 {
		id := fmt.Sprintf("request-%d", i)
		for k := 1; k < len(ratios); k++ {
			if taken(ratios[k-1], id) {
				require.True(t, taken(ratios[k], id), "%s is taken at %v and not at %v", id, ratios[k-1], ratios[k])
			}
		}
		require.False(t, taken(0, id))
		require.True(t, taken(1, id))
	}
}

func TestSharesComeOutAsAsked(t *testing.T) {
	t.Parallel()
	const n = 50000
	for _, ratio := range []float64{0.01, 0.1, 0.5, 0.9} {
		count := 0
		for i := range n {
			if taken(ratio, fmt.Sprintf("request-%d", i)) {
				count++
			}
		}
		fourSigma := 4 * math.Sqrt(ratio*(1-ratio)/n)
		assert.InDelta(t, ratio, float64(count)/n, fourSigma)
	}
}

func TestRatioIsStoredAndChangesWhileRunning(t *testing.T) {
	t.Parallel()
	c := startCollector(t, nil)
	r := startRecorder(t, c.address, WithSamplingRatio(0.5))
	in, out := "", ""
	for i := 0; in == "" || out == ""; i++ {
		if id := fmt.Sprintf("request-%d", i); taken(0.5, id) {
			in = id
		} else {
			out = id
		}
	}
	for _, id := range []string{out, in} {
		d := someDecision(id)
		r.Record(context.Background(), &d)
	}
	require.NoError(t, r.SetSamplingRatio(1))
	require.EqualValues(t, 1, r.SamplingRatio())
	d := someDecision(out)
	r.Record(context.Background(), &d)
	require.NoError(t, r.Shutdown(within(t)))

	got := c.decisions(t)
	require.Len(t, got, 2)
	assert.Equal(t, []any{in, 0.5, int64(1)}, []any{got[0].RequestID, got[0].SamplingRatio.Value, got[0].RecorderSequence.Value})
	assert.Equal(t, []any{out, 1.0, int64(2)}, []any{got[1].RequestID, got[1].SamplingRatio.Value, got[1].RecorderSequence.Value})
	assert.Equal(t, Stats{Recorded: 2, Sent: 2, SampledOut: 1}, r.Stats())
}

func TestRatioOutsideItsRangeChangesNothing(t *testing.T) {
	t.Parallel()
	r := parkedRecorder(t, WithSamplingRatio(0.25))
	for _, ratio := range []float64{-0.001, 1.001, math.NaN(), math.Inf(1)} {
		require.EqualError(t, r.SetSamplingRatio(ratio), fmt.Sprintf("set the sampling ratio: must be 0..1, got %v", ratio))
	}
	require.Equal(t, 0.25, r.SamplingRatio())
}
