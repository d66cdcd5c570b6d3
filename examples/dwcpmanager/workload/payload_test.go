package workload

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/instrumentation/measure"
)

func newRand() *rand.Rand { return rand.New(rand.NewPCG(7, 7)) }

// changedPages is how many pages differ.
func changedPages(a, b []byte, size int) (changed int) {
	for at := 0; at < len(a); at += size {
		if !bytes.Equal(a[at:min(at+size, len(a))], b[at:min(at+size, len(b))]) {
			changed++
		}
	}
	return changed
}

func TestEachRoundChangesTheShareThatWasAskedFor(t *testing.T) {
	t.Parallel()
	code, err := program()
	require.NoError(t, err)
	for _, share := range []float64{0, 0.02, 0.5} {
		for unit, p := range map[int][]payload{
			pageBytes:   {newMemory(newRand(), code, 100*pageBytes, share), newDisk(newRand(), code, 100*pageBytes, share)},
			dbPageBytes: {newDatabase(newRand(), 100*dbPageBytes, share)},
		} {
			for _, p := range p {
				before := slices.Clone(p.bytes())
				p.change()
				changed := changedPages(before, p.bytes(), unit)
				// A page that is filled with zeros again is chosen, not changed.
				require.LessOrEqual(t, changed, int(100*share+0.5), p.kind())
				require.GreaterOrEqual(t, changed, int(100*share*0.9), p.kind())
			}
		}
	}
}

func TestTheSameSeedMakesTheSameBytes(t *testing.T) {
	t.Parallel()
	code, err := program()
	require.NoError(t, err)
	make4 := func() (states [][]byte) {
		secret, err := newEncrypted(newRand(), code, 50*pageBytes)
		require.NoError(t, err)
		for _, p := range []payload{newMemory(newRand(), code, 50*pageBytes, 0.3), newDisk(newRand(), code, 50*pageBytes, 0.3),
			newDatabase(newRand(), 50*dbPageBytes, 0.3), secret} {
			p.change()
			states = append(states, p.bytes())
		}
		return states
	}
	first, second := make4(), make4()
	require.Equal(t, first, second)
}

// What the kinds are for: one that compresses, one that repeats, one that does
// neither.
func TestEachKindIsWhatItsNameSays(t *testing.T) {
	t.Parallel()
	code, err := program()
	require.NoError(t, err)
	secret, err := newEncrypted(newRand(), code, 64*pageBytes)
	require.NoError(t, err)
	before := slices.Clone(secret.bytes())
	secret.change()
	require.Equal(t, 64, changedPages(before, secret.bytes(), pageBytes), "encrypted anew, nothing is as it was")
	entropy := func(p payload) float64 { return measure.SampleBytes(p.bytes()).EntropyBitsPerByte.Value }
	require.Greater(t, entropy(secret), 7.9)
	require.Less(t, entropy(newMemory(newRand(), code, 64*pageBytes, 0.1)), 7.0)
	require.Less(t, entropy(newDatabase(newRand(), 32*dbPageBytes, 0.1)), 6.5)
}
