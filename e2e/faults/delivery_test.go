package faults

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/collector"
)

const (
	fromRecorder = 512 // decisions that a Recorder puts into a request at most
	requests     = 100
)

// docs/delivery.md computes how long the queue lasts from what a decision takes
// in it, and names metrics that shall be there.
func TestTheDocumentedSizeAndMetricsAreTheCollectors(t *testing.T) {
	t.Parallel()
	root, err := collector.Root()
	require.NoError(t, err)
	text, err := os.ReadFile(filepath.Join(root, "docs", "delivery.md"))
	require.NoError(t, err)

	r := newRig(t, fault{}, queued)
	r.startLoad() // so that every counter has counted
	r.waitAcknowledged(warmUp)
	r.settle()
	r.requireAccount()
	var each int64
	r.lockTable(func() {
		before := r.queueBytes()
		r.sendInBulk(requests)
		each = (r.queueBytes() - before) / (requests * fromRecorder)
	})
	t.Logf("a decision takes %d bytes of the queue's file", each)
	documented := regexp.MustCompile(`(\d+) bytes of the queue's file`).FindSubmatch(text)
	require.NotNil(t, documented)
	most, err := strconv.ParseInt(string(documented[1]), 10, 64)
	require.NoError(t, err)
	require.Positive(t, each)
	require.LessOrEqual(t, each, most)

	named := regexp.MustCompile(`otelcol_[a-z_]+`).FindAllString(string(text), -1)
	require.NotEmpty(t, named)
	shown := r.collector().get(r.collector().process.Load().Metrics, "/metrics")
	for _, name := range named {
		if !onlyInTrouble[name] {
			require.Contains(t, shown, name)
		}
	}
	r.requireAccount()
}

// onlyInTrouble are there once they have counted; other faults ask for them.
var onlyInTrouble = map[string]bool{
	"otelcol_exporter_enqueue_failed_log_records": true,
	"otelcol_pgtelemetry_failures":                true,
	"otelcol_processor_refused_log_records":       true,
	"otelcol_ingress_refused":                     true, // of deploy/tls.yaml
	"otelcol_receiver_refused_log_records":        true,
	"otelcol_exporter_send_failed_log_records":    true,
	"otelcol_besteffort_lost":                     true,
	"otelcol_pgtelemetry_rejected":                true,
}

// sendInBulk sends requests as large as a Recorder's, one after the other.
func (r *rig) sendInBulk(requests int) {
	r.Helper()
	var line connection
	defer line.close()
	for range requests {
		batch := make([]*event, fromRecorder)
		for i := range batch {
			batch[i] = goodDecisions(r.load.random, r.now(), len(r.events)+i)
		}
		r.events = append(r.events, batch...)
		require.NoError(r, line.send(r.Context(), r.collector().process.Load().GRPC, encodeRequest(batch)))
	}
}

// queueBytes is what the queue's files take of the disk: they grow by holes.
func (r *rig) queueBytes() (sum int64) {
	files, err := filepath.Glob(filepath.Join(r.collector().options.Dir, "queue", "*"))
	require.NoError(r, err)
	require.NotEmpty(r, files)
	for _, file := range files {
		info, err := os.Stat(file)
		require.NoError(r, err)
		sum += 512 * info.Sys().(*syscall.Stat_t).Blocks
	}
	return sum
}
