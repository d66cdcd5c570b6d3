package decisionlog

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision/decisiontest"
)

// What is described may be cut anywhere, or be no OTLP at all.
func FuzzDescribe(f *testing.F) {
	d := decisiontest.Full()
	original, _ := OriginalOf(&d, nil, KeepPseudonyms)
	f.Add(original)
	f.Add(original[:len(original)/2])
	f.Add([]byte{0x0a, 0xff, 0xff, 0xff, 0xff, 0x7f, 0x0a})
	f.Fuzz(func(t *testing.T, data []byte) {
		described := Describe(data)
		for _, a := range described.Attributes {
			require.LessOrEqual(t, len(a.Key), len(data))
		}
		if described.Cut {
			require.Empty(t, described.Problems)
		}
	})
}
