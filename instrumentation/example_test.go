package instrumentation_test

import (
	"context"
	"fmt"
	"log"
	"time"

	sdklog "go.opentelemetry.io/otel/sdk/log"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/instrumentation"
)

// manager stands for DWCP's.
type manager struct {
	recorder *instrumentation.Recorder
	region   string
}

// transfer is the hook: after the transfer, what was known, what it cost, and
// one call that cannot fail.
func (m *manager) transfer(ctx context.Context, vmID, requestID string, payload []byte) {
	started := time.Now()
	// … DWCP compresses and sends the payload …
	took := time.Since(started)

	m.recorder.Record(ctx, &decision.Decision{
		Timestamp: started, VMID: vmID, RequestID: requestID,
		LinkType: decision.WAN, Region: m.region, NetworkTier: 2,
		BandwidthAvailableMbps: 940, BandwidthUtilization: 31, RTTMillis: 18.7,
		PayloadBytes: int64(len(payload)), PayloadType: "vm_memory",
		HDECompressionRatio: decision.Some(3.5), HDELatencyMillis: decision.Some(120.2), HDECPUUsage: decision.Some(23.0),
		ActualAlgorithm:     decision.Some(decision.HDE),
		ActualLatencyMillis: decision.Some(took.Seconds() * 1000),
		ActualOutcome:       decision.Some(decision.Success),
	})
}

// A DWCP process that is told by its environment where to send.
func Example_fromEnv() {
	ctx := context.Background()
	recorder, err := instrumentation.FromEnv(ctx)
	if err != nil {
		// Telemetry is no reason not to start: a nil Recorder records nothing.
		log.Print(err)
	}
	m := &manager{recorder: recorder, region: "eu-west-1"}
	m.transfer(ctx, "vm-1", "request-1", []byte("pages"))

	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := recorder.Shutdown(ctx); err != nil {
		log.Print(err) // says how many decisions were left
	}
}

// A process that has a LoggerProvider of its own hands it in.
func Example_loggerProvider() {
	ctx := context.Background()
	provider := sdklog.NewLoggerProvider(sdklog.WithProcessor(printer{}))
	recorder, err := instrumentation.New(
		instrumentation.WithLoggerProvider(provider),
		instrumentation.WithSamplingRatio(1),
	)
	if err != nil {
		log.Print(err)
	}
	m := &manager{recorder: recorder, region: "eu-west-1"}
	m.transfer(ctx, "vm-1", "request-1", []byte("pages"))

	// First the Recorder, then the provider it hands its decisions to.
	if err := recorder.Shutdown(ctx); err != nil {
		log.Print(err)
	}
	if err := provider.Shutdown(ctx); err != nil {
		log.Print(err)
	}
	fmt.Println(recorder.Stats().Sent, "sent")
	// Output:
	// INFO dwcp.compression.decision
	// 1 sent
}

// Rolling out: a tenth of the requests first, more while running.
func Example_rollout() {
	recorder, err := instrumentation.New(instrumentation.WithSamplingRatio(0.1))
	if err != nil {
		log.Print(err)
	}
	for _, ratio := range []float64{0.5, 1, 1.5} {
		if err := recorder.SetSamplingRatio(ratio); err != nil {
			fmt.Println(err)
		}
	}
	fmt.Println(recorder.SamplingRatio())
	recorder.SetEnabled(false)
	fmt.Println(recorder.Enabled())
	_ = recorder.Shutdown(context.Background())
	// Output:
	// set the sampling ratio: must be 0..1, got 1.5
	// 1
	// false
}

// printer is a log processor that prints.
type printer struct{}

func (printer) OnEmit(_ context.Context, r *sdklog.Record) error {
	fmt.Println(r.SeverityText(), r.EventName())
	return nil
}
func (printer) Enabled(context.Context, sdklog.EnabledParameters) bool { return true }
func (printer) Shutdown(context.Context) error                         { return nil }
func (printer) ForceFlush(context.Context) error                       { return nil }
