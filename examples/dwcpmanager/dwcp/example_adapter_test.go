package dwcp_test

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/instrumentation"
	"github.com/novacron/dwcp-telemetry/instrumentation/measure"
)

// What stands for DWCP's in docs/integration.md, whose code is that below.
type (
	// MigrationAdapter is DWCP's, with the two fields that are new.
	MigrationAdapter struct {
		hde      hde
		recorder *instrumentation.Recorder
		priors   *measure.Priors
	}
	hde        struct{}
	connection struct{}
)

func (hde) CompressMemory(_ string, data []byte) ([]byte, error) { return data[:len(data)/4], nil }

func (connection) transfer(context.Context, []byte) error        { return nil }
func (connection) awaitAcknowledgement(context.Context) error    { return nil }
func (*MigrationAdapter) connect(string) (c connection, _ error) { return c, nil }

func (*MigrationAdapter) shadowAMST(context.Context, string, []byte) (instrumentation.AMSTRun, error) {
	return instrumentation.AMSTRun{LatencyMillis: decision.Some(80.0), TransferRateMbps: decision.Some(90.0), CPUUsage: decision.Some(2.0)}, nil
}

// known stands for the fields of the guide's table.
func (adapter *MigrationAdapter) known(_ connection, vmID, payloadType string, payload []byte) decision.Decision {
	d := decision.Decision{VMID: vmID, RequestID: "opaque", PayloadType: payloadType, PayloadBytes: int64(len(payload))}
	measure.SampleBytes(payload).Fill(&d)
	adapter.priors.Fill(&d)
	return d
}

// guide: MigrateVMMemory

// MigrateVMMemory is DWCP's, with the hook in it.
func (adapter *MigrationAdapter) MigrateVMMemory(ctx context.Context, vmID string, memoryData []byte, targetHost string) error {
	conn, err := adapter.connect(targetHost)
	if err != nil {
		return err // DWCP's fallback to the standard path would be here
	}
	known := adapter.known(conn, vmID, "vm_memory", memoryData) // the table below
	known.ActualAlgorithm = decision.Some(decision.HDE)         // the choice
	p := adapter.recorder.Begin(ctx, &known)
	result := instrumentation.Result{Outcome: decision.Failure} // unless it ends well
	defer func() { p.Finish(result) }()
	began := time.Now()

	var compressed []byte
	run := measure.Thread(func() { compressed, err = adapter.hde.CompressMemory(vmID, memoryData) })
	if err != nil {
		return fmt.Errorf("memory compression failed: %w", err)
	}
	p.HDE(instrumentation.HDERun{
		CompressionRatio: decision.Some(float64(len(memoryData)) / float64(len(compressed))),
		LatencyMillis:    run.LatencyMillis, CPUUsage: run.CPUUsage, // and DeltaHitRate, where a delta was tried
	})

	if err := conn.transfer(ctx, compressed); err != nil {
		return fmt.Errorf("AMST transfer failed: %w", err)
	}
	if err := conn.awaitAcknowledgement(ctx); err != nil { // new: Transfer's return is not the end
		return fmt.Errorf("AMST transfer not acknowledged: %w", err)
	}
	result.Outcome = decision.Success
	result.LatencyMillis = decision.Some(time.Since(began).Seconds() * 1000)

	if p.ShouldShadow() { // AMST on the raw bytes, in the background, to a receiver that keeps nothing
		own := bytes.Clone(memoryData)
		p.ShadowAMST(func(ctx context.Context) (instrumentation.AMSTRun, error) {
			return adapter.shadowAMST(ctx, targetHost, own)
		})
	}
	return nil
}

// guide: end

// The hook as it goes into DWCP's migration adapter.
func Example_migrationAdapter() {
	done := make(chan decision.Decision, 1)
	recorder, err := instrumentation.New(instrumentation.WithShadowRatio(1),
		instrumentation.WithObserver(func(d *decision.Decision) { done <- *d }))
	if err != nil {
		fmt.Println(err)
		return
	}
	adapter := &MigrationAdapter{recorder: recorder}
	if err := adapter.MigrateVMMemory(context.Background(), "vm-1", make([]byte, 1<<20), "host-2"); err != nil {
		fmt.Println(err)
	}
	d := <-done
	fmt.Println(d.ActualAlgorithm.Value, d.ActualOutcome.Value, d.HDECompressionRatio.Value)
	fmt.Println(d.HDESource.Value, d.AMSTSource.Value, d.AMSTTransferRateMbps.Value)
	fmt.Println(recorder.Shutdown(context.Background()))
	// Output:
	// HDE success 4
	// measured shadow 90
	// <nil>
}
