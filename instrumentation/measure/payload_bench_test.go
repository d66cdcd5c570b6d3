package measure

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Both show that a sample costs the same whatever the size.
func BenchmarkSampleBytes(b *testing.B) {
	for _, size := range benchSizes {
		payload := make([]byte, size.bytes)
		_, _ = rand.NewChaCha8([32]byte{}).Read(payload)
		b.Run(size.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				SampleBytes(payload)
			}
		})
	}
}

func BenchmarkSampleReaderAt(b *testing.B) {
	for _, size := range benchSizes {
		path := filepath.Join(b.TempDir(), size.name)
		require.NoError(b, os.WriteFile(path, bytes.Repeat([]byte{1}, size.bytes), 0o600))
		file, err := os.Open(path)
		require.NoError(b, err)
		defer file.Close()
		b.Run(size.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = SampleReaderAt(file, int64(size.bytes))
			}
		})
	}
}

var benchSizes = []struct {
	name  string
	bytes int
}{{"64KiB", 64 << 10}, {"1GiB", 1 << 30}}
