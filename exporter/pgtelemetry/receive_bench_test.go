package pgtelemetry

import (
	"testing"

	"github.com/novacron/dwcp-telemetry/internal/decisionlog"
)

// BenchmarkReceive decodes a batch and makes rows of it.
func BenchmarkReceive(b *testing.B) {
	logs := freshBatch()
	decoder := new(decisionlog.Decoder)
	b.ReportAllocs()
	for b.Loop() {
		fromLogs(decoder, logs, false)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batchRows), "ns/decision")
}

// BenchmarkQueueEncoding writes and reads an item of the queue on disk.
func BenchmarkQueueEncoding(b *testing.B) {
	q, _ := testEncoding()
	req := fromLogs(new(decisionlog.Decoder), freshBatch(), false)
	b.ReportAllocs()
	for b.Loop() {
		item, err := q.Marshal(b.Context(), req)
		if err != nil {
			b.Fatal(err)
		}
		unmarshal(b, q, item)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batchRows), "ns/decision")
}

// BenchmarkBatch sorts a request's rows.
func BenchmarkBatch(b *testing.B) {
	req := fromLogs(new(decisionlog.Decoder), freshBatch(), false)
	for b.Loop() {
		newBatch(req, false)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batchRows), "ns/decision")
}
