package measure

import (
	"math/rand/v2"
	"testing"
)

// BenchmarkSampleBytes shows that a sample costs the same whatever the size.
func BenchmarkSampleBytes(b *testing.B) {
	for _, size := range []struct {
		name  string
		bytes int
	}{{"64KiB", 64 << 10}, {"1GiB", 1 << 30}} {
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
