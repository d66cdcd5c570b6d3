package instrumentation_test

import (
	"bytes"
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

// transfer is the hook: what is known is fixed when the choice is made, what
// the runs cost is added as they end. No call can fail, block or be forgotten at
// a cost.
func (m *manager) transfer(ctx context.Context, vmID, requestID string, payload []byte) error {
	p := m.recorder.Begin(ctx, &decision.Decision{
		VMID: vmID, RequestID: requestID,
		LinkType: decision.WAN, Region: m.region, NetworkTier: 2,
		BandwidthAvailableMbps: 940, BandwidthUtilization: 31, RTTMillis: 18.7,
		PayloadBytes: int64(len(payload)), PayloadType: "vm_memory",
		AMSTStreamCount: decision.Some(int64(8)),
		ActualAlgorithm: decision.Some(decision.HDE), // the choice
	})

	started := time.Now()
	run, err := m.hde(ctx, payload)
	p.HDE(run)
	result := instrumentation.Result{LatencyMillis: decision.Some(time.Since(started).Seconds() * 1000)}
	if err != nil {
		result.Outcome = decision.Failure // to be recorded like any other
	} else if p.ShouldShadow() { // is the other way to be measured on this payload, too? Not beside ours
		own := bytes.Clone(payload) // ours may be used again before it has run
		p.ShadowAMST(func(ctx context.Context) (instrumentation.AMSTRun, error) { return m.amst(ctx, own) })
	}
	p.Finish(result)
	return err
}

// hde compresses and sends the payload, and says what compressing it cost.
func (m *manager) hde(ctx context.Context, _ []byte) (instrumentation.HDERun, error) {
	if ctx.Err() != nil {
		return instrumentation.HDERun{}, ctx.Err()
	}
	return instrumentation.HDERun{CompressionRatio: decision.Some(3.5), LatencyMillis: decision.Some(120.2), CPUUsage: decision.Some(23.0)}, nil
}

// amst sends the payload raw to where it is only counted.
func (m *manager) amst(ctx context.Context, _ []byte) (instrumentation.AMSTRun, error) {
	if ctx.Err() != nil {
		return instrumentation.AMSTRun{}, ctx.Err()
	}
	return instrumentation.AMSTRun{TransferRateMbps: decision.Some(800.5), LatencyMillis: decision.Some(671.0), CPUUsage: decision.Some(4.0)}, nil
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
	if err := m.transfer(ctx, "vm-1", "request-1", []byte("pages")); err != nil {
		log.Print(err)
	}

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
		instrumentation.WithShadowRatio(1),
	)
	if err != nil {
		log.Print(err)
	}
	m := &manager{recorder: recorder, region: "eu-west-1"}
	if err := m.transfer(ctx, "vm-1", "request-1", []byte("pages")); err != nil {
		log.Print(err)
	}

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

// Who has everything at once, as after the fact, needs only Record.
func ExampleRecorder_Record() {
	recorder, err := instrumentation.New(instrumentation.WithLoggerProvider(sdklog.NewLoggerProvider()))
	if err != nil {
		log.Print(err)
	}
	recorder.Record(context.Background(), &decision.Decision{
		VMID: "vm-1", RequestID: "request-1",
		LinkType: decision.WAN, Region: "eu-west-1", NetworkTier: 2,
		BandwidthAvailableMbps: 940, BandwidthUtilization: 31, RTTMillis: 18.7,
		PayloadBytes: 64 << 20, PayloadType: "vm_memory",
		HDECompressionRatio: decision.Some(3.5), HDELatencyMillis: decision.Some(120.2), HDECPUUsage: decision.Some(23.0),
		ActualAlgorithm: decision.Some(decision.HDE), ActualLatencyMillis: decision.Some(310.5),
		ActualOutcome: decision.Some(decision.Success),
	})
	_ = recorder.Shutdown(context.Background())
	fmt.Println(recorder.Stats().Recorded, "recorded")
	// Output: 1 recorded
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
