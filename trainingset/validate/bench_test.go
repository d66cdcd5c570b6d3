package validate

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/trainingset"
)

// BenchmarkValidate checks the sample.
func BenchmarkValidate(b *testing.B) {
	path := filepath.Join(b.TempDir(), trainingset.FileName)
	c := validTable(len(measured()))
	require.NoError(b, os.WriteFile(path, c.encode(), 0o600))
	b.ReportAllocs()
	for b.Loop() {
		_, err := Path(b.Context(), path, Options{})
		require.NoError(b, err)
	}
	b.ReportMetric(float64(b.N*len(c.rows))/b.Elapsed().Seconds(), "rows/s")
}
