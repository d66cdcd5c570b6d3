package pgtelemetry

import (
	"context"

	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/novacron/dwcp-telemetry/exporter/pgtelemetry/internal/metadata"
	"github.com/novacron/dwcp-telemetry/internal/decisionlog"
)

// decisionsOnly keeps logs that are no decisions out of the exporter's queue,
// and so off its disk. They are counted as ignored.
type decisionsOnly struct {
	exporter.Logs
	telemetry *metadata.TelemetryBuilder
}

// ConsumeLogs passes the decisions on. Batches hold nothing else as a rule and
// are then not copied.
func (f *decisionsOnly) ConsumeLogs(ctx context.Context, logs plog.Logs) error {
	others := countOthers(logs)
	if others == 0 {
		return f.Logs.ConsumeLogs(ctx, logs)
	}
	addRecords(ctx, f.telemetry, "ignored", others)
	decisions := copyDecisions(logs)
	if decisions.LogRecordCount() == 0 {
		return nil
	}
	return f.Logs.ConsumeLogs(ctx, decisions)
}

func countOthers(logs plog.Logs) (others int) {
	for _, resource := range logs.ResourceLogs().All() {
		for _, scope := range resource.ScopeLogs().All() {
			for _, record := range scope.LogRecords().All() {
				if !decisionlog.IsDecision(record) {
					others++
				}
			}
		}
	}
	return others
}

func copyDecisions(logs plog.Logs) plog.Logs {
	decisions := plog.NewLogs()
	for _, resource := range logs.ResourceLogs().All() {
		to := decisions.ResourceLogs().AppendEmpty()
		resource.Resource().CopyTo(to.Resource())
		records := to.ScopeLogs().AppendEmpty().LogRecords()
		for _, scope := range resource.ScopeLogs().All() {
			for _, record := range scope.LogRecords().All() {
				if decisionlog.IsDecision(record) {
					record.CopyTo(records.AppendEmpty())
				}
			}
		}
	}
	decisions.ResourceLogs().RemoveIf(func(r plog.ResourceLogs) bool { return r.ScopeLogs().At(0).LogRecords().Len() == 0 })
	return decisions
}
