package measure

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// Both show that a sample costs the same whatever the size. The payload is at
// another place at each turn, so that it is in no cache, as it will be.
func BenchmarkSampleBytes(b *testing.B) {
	const room, step = 64 << 20, 1<<16 + 64
	memory := make([]byte, 1<<30+room)
	_, _ = rand.NewChaCha8([32]byte{}).Read(memory)
	for _, size := range benchSizes {
		b.Run(size.name, func(b *testing.B) {
			b.ReportAllocs()
			defer reportCPU(b)()
			for i := 0; b.Loop(); i++ {
				SampleBytes(memory[i*step%room:][:size.bytes])
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
			defer reportCPU(b)()
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

// reportCPU adds the CPU time of a turn, which a busy machine does not change as
// much as its time.
func reportCPU(b *testing.B) func() {
	b.Helper()
	runtime.LockOSThread()
	before, _ := threadCPU()
	return func() {
		after, _ := threadCPU()
		runtime.UnlockOSThread()
		b.ReportMetric(float64(after-before)/float64(b.N), "cpu-ns/op")
	}
}
