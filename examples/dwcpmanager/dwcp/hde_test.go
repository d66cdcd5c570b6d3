package dwcp

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
)

func random(seed uint64, n int) []byte {
	r := rand.New(rand.NewPCG(seed, 0))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func newTestHDE(t testing.TB) *HDE {
	t.Helper()
	h, err := NewHDE()
	require.NoError(t, err)
	t.Cleanup(h.Close)
	return h
}

// rounds are payloads and the baselines they come after.
func rounds() map[string]struct{ baseline, payload []byte } {
	base := random(1, 10*pageBytes+100)
	changed := slices.Clone(base)
	changed[5], changed[3*pageBytes+7] = changed[5]+1, changed[3*pageBytes+7]+1
	rewritten := slices.Clone(base)
	copy(rewritten[2*pageBytes:], random(2, 3*pageBytes))
	return map[string]struct{ baseline, payload []byte }{
		"no baseline":                 {nil, base},
		"the same":                    {base, base},
		"bytes changed":               {base, changed},
		"pages rewritten":             {base, rewritten},
		"grown":                       {base, append(slices.Clone(base), random(3, 5000)...)},
		"shrunk, to a part of a page": {base, base[:3*pageBytes+1]},
		"one byte":                    {base, base[:1]},
		"zeros":                       {base, make([]byte, 1<<20)},
		"nothing in common":           {base, random(4, 300_000)},
		"empty baseline":              {[]byte{}, base},
	}
}

func TestHDEGivesBackEveryByte(t *testing.T) {
	t.Parallel()
	sender, receiver := newTestHDE(t), newTestHDE(t)
	for name, round := range rounds() {
		for _, link := range []decision.LinkType{decision.DC, decision.WAN} {
			var ours, theirs *Baseline
			if round.baseline != nil {
				ours, theirs = newBaseline(round.baseline), newBaseline(slices.Clone(round.baseline))
			}
			encoded := sender.Encode(ours, link, round.payload)
			decoded, err := receiver.Decode(theirs, encoded.Bytes)
			require.NoError(t, err, name)
			require.True(t, bytes.Equal(round.payload, decoded), name)
			require.InDelta(t, float64(len(round.payload))/float64(len(encoded.Bytes)), encoded.Ratio, 1e-9)
		}
	}
}

func TestDeltaHitRateIsTheShareOfPagesFoundUnchanged(t *testing.T) {
	t.Parallel()
	h := newTestHDE(t)
	base := random(1, 100*pageBytes)
	for _, changedPages := range []int{0, 1, 30, 100} {
		payload := slices.Clone(base)
		for i := range changedPages {
			payload[i*pageBytes] ^= 1
		}
		encoded := h.Encode(newBaseline(base), decision.WAN, payload)
		require.InDelta(t, float64(100-changedPages), encoded.DeltaHitRate, 1e-9)
		require.Greater(t, encoded.Ratio, 20.0, "the bytes are random: only the baseline explains it")
	}
	cold := h.Encode(nil, decision.WAN, base)
	require.Zero(t, cold.DeltaHitRate)
	require.Less(t, cold.Ratio, 1.01)
}

func TestEncodingLeavesTheBaselineAlone(t *testing.T) {
	t.Parallel()
	h := newTestHDE(t)
	h.Commit("vm", random(1, 20*pageBytes))
	before := h.Baseline("vm").Copy()
	h.Encode(h.Baseline("vm"), decision.WAN, random(2, 20*pageBytes))
	require.Equal(t, before, h.Baseline("vm"))
}

// A VM goes on running: its memory is overwritten while the baseline must stay
// what the receiver holds.
func TestBaselineIsNoAliasOfTheCallersBytes(t *testing.T) {
	t.Parallel()
	h := newTestHDE(t)
	state := random(1, 20*pageBytes)
	h.Commit("vm", state)
	want := slices.Clone(state)
	clear(state)
	require.Equal(t, want, h.Baseline("vm").bytes)
	copied := h.Baseline("vm").Copy()
	clear(copied.bytes)
	require.Equal(t, want, h.Baseline("vm").bytes, "nor is a copy of it")
}

func TestAnotherBaselineIsNoticed(t *testing.T) {
	t.Parallel()
	h := newTestHDE(t)
	base := random(1, 5*pageBytes)
	encoded := h.Encode(newBaseline(base), decision.WAN, base)
	for _, held := range []*Baseline{nil, newBaseline(random(2, 5*pageBytes))} {
		_, err := h.Decode(held, encoded.Bytes)
		require.ErrorIs(t, err, ErrUnknownBaseline)
	}
}

func FuzzDecodeNeverPanics(f *testing.F) {
	h := newTestHDE(f)
	base := newBaseline(random(1, 3*pageBytes))
	for _, round := range rounds() {
		f.Add(h.Encode(base, decision.WAN, round.payload[:min(len(round.payload), 3*pageBytes)]).Bytes)
	}
	f.Fuzz(func(_ *testing.T, encoded []byte) {
		_, _ = h.Decode(base, encoded)
		if told, err := undelta(base.bytes, encoded); err == nil {
			back, _ := delta(base.bytes, told)
			if again, err := undelta(base.bytes, back); err != nil || !bytes.Equal(again, told) {
				panic("a payload that a delta gave does not come back from its own delta")
			}
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	h := newTestHDE(b)
	base := random(1, 1<<20)
	payload := slices.Clone(base)
	for i := 0; i < len(payload); i += 10 * pageBytes {
		payload[i]++
	}
	b.SetBytes(int64(len(payload)))
	for b.Loop() {
		h.Encode(newBaseline(base), decision.WAN, payload)
	}
}
