package measure_test

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/instrumentation/measure"
)

// One decision from the choice to the end, HDE used and AMST shadowed.
func Example() {
	priors, err := measure.NewPriors(measure.PriorsOptions{}) // one for the process
	if err != nil {
		panic(err)
	}
	payload := bytes.Repeat([]byte("a page of the VM's memory, "), 10_000)

	d := decision.Decision{
		LinkType: decision.WAN, BandwidthAvailableMbps: 100, RTTMillis: 40,
		PayloadBytes: int64(len(payload)), PayloadType: "vm_memory",
	}
	measure.SampleBytes(payload).Fill(&d)
	priors.Fill(&d) // before the choice

	var compressed bytes.Buffer
	run := measure.Thread(func() {
		w, _ := flate.NewWriter(&compressed, flate.BestSpeed)
		_, _ = w.Write(payload)
		_ = w.Close()
	})
	run.FillHDE(&d, decision.Measured, int64(len(payload)), int64(compressed.Len()))

	watch := measure.Start()
	time.Sleep(time.Millisecond) // send, and wait for the receiver's acknowledgement
	watch.Stop().FillAMST(&d, decision.Shadow, int64(len(payload)))

	priors.Observe(&d) // when both are over

	fmt.Println("repeats:", d.RepetitionScore.Value > 90)
	fmt.Println("runs known before:", d.PriorSamples.Value)
	fmt.Println("measured:", d.HDELatencyMillis.Set, d.HDECPUUsage.Set, d.AMSTLatencyMillis.Set, d.AMSTTransferRateMbps.Set)
	// Output:
	// repeats: true
	// runs known before: 0
	// measured: true true true true
}

func ExampleLinkLimits_Classify() {
	limits := measure.DefaultLinkLimits()
	limits.DCMinMbps = 10_000 // this installation's data centres
	if err := limits.Validate(); err != nil {
		panic(err)
	}
	linkType, rule := limits.Classify(0.3, 25_000)
	fmt.Println(linkType, "by", rule)
	// Output: dc by dc: short RTT, large capacity
}

func ExampleTCPRTT() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	defer listener.Close()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		panic(err)
	}
	defer conn.Close()

	rtt, err := measure.TCPRTT(conn)
	switch {
	case errors.Is(err, measure.ErrNotAvailable): // not Linux: take another source
	case err != nil:
		fmt.Println(err)
	default:
		fmt.Printf("%.3f ms, the path alone %.3f ms\n", rtt.SmoothedMillis, rtt.Path())
	}
}

func ExampleUtilizationMeter() {
	meter := measure.UtilizationMeter{CapacityMbps: 1000}
	at := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	meter.Observe(at, 0)                           // the interface's counter of bytes
	meter.Observe(at.Add(time.Second), 31_250_000) // 250 Mbit in a second

	fmt.Println(meter.Percent(at.Add(2*time.Second)), meter.AvailableMbps(at.Add(2*time.Second)))
	// Output: {25 true} {750 true}
}

// Priors outlive the process.
func ExamplePriors_Save() {
	priors, err := measure.NewPriors(measure.PriorsOptions{MinRuns: 1})
	if err != nil {
		panic(err)
	}
	over := decision.Decision{
		LinkType: decision.WAN, PayloadBytes: 1 << 20, PayloadType: "vm_memory",
		AMSTTransferRateMbps: decision.Some(80.0), AMSTLatencyMillis: decision.Some(104.9), AMSTCPUUsage: decision.Some(3.5),
	}
	priors.Observe(&over)
	var file bytes.Buffer
	if err := priors.Save(&file); err != nil { // at exit
		panic(err)
	}

	restarted, _ := measure.NewPriors(measure.PriorsOptions{MinRuns: 1})
	if err := restarted.Load(&file); err != nil {
		fmt.Println(err) // and go on without
	}
	next := decision.Decision{LinkType: decision.WAN, PayloadBytes: 1_500_000, PayloadType: "database"}
	restarted.Fill(&next)
	fmt.Printf("AMST: %.1f ms, HDE known: %v, runs: %d\n", next.AMSTPriorLatencyMillis.Value, next.HDEPriorLatencyMillis.Set, next.PriorSamples.Value)
	// Output: AMST: 104.9 ms, HDE known: false, runs: 1
}

// A disk image that is not in memory.
func ExampleSampleReaderAt() {
	image := bytes.NewReader(make([]byte, 10<<20)) // or an *os.File and its size
	sample, err := measure.SampleReaderAt(image, image.Size())
	if err != nil {
		panic(err)
	}
	fmt.Println(sample.EntropyBitsPerByte.Value, "bits per byte,", sample.RepetitionPercent.Value, "% repeats")
	// Output: 0 bits per byte, 100 % repeats
}

// A transfer of several streams beside others: CPU time of these goroutines alone.
func ExampleThreads() {
	stream := func() { time.Sleep(2 * time.Millisecond) } // send a part, wait for its acknowledgement
	run := measure.Threads(stream, stream, stream, stream)
	fmt.Println(run.LatencyMillis.Value >= 2, run.RateMbps(1<<20).Set)
	// Output: true true
}
