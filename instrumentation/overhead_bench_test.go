package instrumentation

import (
	"compress/flate"
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"github.com/novacron/dwcp-telemetry/decision"
)

var overheadTime = flag.Duration("overhead", 4*time.Second, "how long BenchmarkOverhead runs")

const (
	overheadRate    = 10000 // decisions a second
	overheadPhase   = 200 * time.Millisecond
	overheadWorkers = 4
	hostCores       = 16 // of the host that 2 % are of
	pageBytes       = 4 << 10
)

// program stands for DWCP: at each decision it compresses a page of memory.
type program struct {
	recorder *Recorder
	known    decision.Decision
}

func (p *program) decide(ctx context.Context, page []byte, requestID string, compressor *flate.Writer) {
	known := p.known
	known.RequestID, known.Timestamp = requestID, time.Time{}
	pending := p.recorder.Begin(ctx, &known)
	compressor.Reset(io.Discard)
	_, _ = compressor.Write(page)
	_ = compressor.Close()
	pending.HDE(hdeRun)
	pending.AMST(amstRun)
	pending.Finish(Result{Algorithm: decision.HDE, LatencyMillis: decision.Some(0.5)})
}

// phase runs decisions at the rate and returns what each took, sorted, and the
// CPU time of them all.
func (p *program) phase(tb testing.TB, pages [][]byte) (took []time.Duration, cpu time.Duration) {
	tb.Helper()
	const perTick = overheadRate / 1000 / overheadWorkers * 2 // every 2 ms
	ctx, before := context.Background(), cpuTime(tb)
	all := make([][]time.Duration, overheadWorkers)
	var working sync.WaitGroup
	for w := range overheadWorkers {
		working.Go(func() {
			compressor, err := flate.NewWriter(io.Discard, flate.BestSpeed)
			require.NoError(tb, err)
			tick := time.NewTicker(2 * time.Millisecond)
			defer tick.Stop()
			for ended := time.Now().Add(overheadPhase); time.Now().Before(ended); <-tick.C {
				for i := range perTick {
					started := time.Now()
					p.decide(ctx, pages[(len(all[w])+i)%len(pages)], "7f0c1a52-93b4-4f0e-8f4e-2f8a4b0b8a11", compressor)
					all[w] = append(all[w], time.Since(started))
				}
			}
		})
	}
	working.Wait()
	return slices.Sorted(slices.Values(slices.Concat(all...))), cpuTime(tb) - before
}

// somePages are half random, half zero, as memory is neither.
func somePages() [][]byte {
	random := rand.NewChaCha8([32]byte{1})
	pages := make([][]byte, 64)
	for i := range pages {
		pages[i] = make([]byte, pageBytes)
		_, _ = random.Read(pages[i][:pageBytes/2])
	}
	return pages
}

// A program that makes 10,000 decisions a second, each the work of a page, with
// telemetry on and off by turns of a fifth of a second: what differs is what telemetry
// costs. Of the turns the lower quartile is reported, because other programs on
// this machine disturb some of them. It runs as long as -overhead says, whatever
// b.N is.
func BenchmarkOverhead(b *testing.B) {
	meters := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader()))
	r := startRecorder(b, startDiscarding(b), WithMeterProvider(meters))
	p := &program{recorder: r, known: emittedDecision(b)}
	pages := somePages()
	var p99, cpu [2][]float64
	var heap []float64
	for started, turn := time.Now(), 0; time.Since(started) < *overheadTime || turn < 4 || turn%2 == 1; turn++ {
		on := turn % 2
		r.SetEnabled(on == 1)
		took, used := p.phase(b, pages)
		p99[on] = append(p99[on], float64(took[len(took)*99/100])/1e3)
		cpu[on] = append(cpu[on], float64(used)/float64(len(took))*overheadRate/1e9/hostCores*100)
		require.NoError(b, r.ForceFlush(within(b)))
		if on == 1 {
			heap = append(heap, liveHeapMiB())
		}
	}
	require.Zero(b, r.Stats().Dropped)
	require.NotZero(b, r.Stats().Sent)
	b.ReportMetric(lowerQuartile(p99[0]), "p99-off-µs")
	b.ReportMetric(lowerQuartile(p99[1]), "p99-on-µs")
	b.ReportMetric(lowerQuartile(p99[1])-lowerQuartile(p99[0]), "p99-added-µs")
	b.ReportMetric(lowerQuartile(cpu[1])-lowerQuartile(cpu[0]), fmt.Sprintf("cpu-added-%%-of-%d-cores", hostCores))
	b.ReportMetric(heap[len(heap)-1]-heap[0], "heap-growth-MiB")
	b.ReportMetric(0, "ns/op")
}

func lowerQuartile(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/4]
}

func liveHeapMiB() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc) / (1 << 20)
}
