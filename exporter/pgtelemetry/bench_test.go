package pgtelemetry

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/decision/decisiontest"
	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
)

// BenchmarkPush writes decoded batches of 5,000 as the queue hands them over,
// one after the other, until they are committed: new rows by COPY, and rows
// that are there already by way of the merge table.
func BenchmarkPush(b *testing.B) {
	for name, replayed := range map[string]bool{"new": false, "replayed": true} {
		b.Run(name, func(b *testing.B) {
			e, _ := startExporter(b, pgtest.Login(b, pgtest.Database(b), "dwcp_writer"))
			logs := freshBatch()
			require.NoError(b, e.ConsumeLogs(b.Context(), logs))
			for b.Loop() {
				if !replayed {
					b.StopTimer()
					logs = freshBatch()
					b.StartTimer()
				}
				if err := e.ConsumeLogs(b.Context(), logs); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N*batchRows)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// freshBatch is a batch of new decisions of 40 VMs.
func freshBatch() plog.Logs {
	decisions := make([]decision.Decision, batchRows)
	now := time.Now().UTC().Truncate(time.Microsecond)
	for i := range decisions {
		d := decisiontest.Full()
		d.Timestamp = now.Add(-time.Duration(i) * time.Microsecond)
		d.VMID = fmt.Sprintf("%064x", i%40)
		d.EventID = decision.UUID(uuid.Must(uuid.NewV7()))
		decisions[i] = d
	}
	return logsOf(decisions...)
}
