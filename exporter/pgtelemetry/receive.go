package pgtelemetry

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper/xexporterhelper"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/internal/decisionlog"
	"github.com/novacron/dwcp-telemetry/internal/queuestorage"
)

// decisionsOnly keeps logs without any decision away from the exporter's
// queue. What is among decisions is left out by receive.
type decisionsOnly struct {
	exporter.Logs
	exporter *pgExporter
}

// Capabilities says that the logs are only read, unless they are to be let go.
// The helper would say that batching changes them, and have them copied where
// there are other exporters; but what it batches is our requests.
func (f *decisionsOnly) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: f.exporter.config.ReleaseLogs}
}

// Start gives the helper's queue a storage that loses nothing.
func (f *decisionsOnly) Start(ctx context.Context, host component.Host) error {
	if queue := f.exporter.config.QueueConfig; queue.HasValue() && queue.Get().StorageID != nil {
		host = queuestorage.Host(host, *queue.Get().StorageID, f.exporter.log)
	}
	return f.Logs.Start(ctx, host)
}

// ConsumeLogs passes logs on that hold a decision.
func (f *decisionsOnly) ConsumeLogs(ctx context.Context, logs plog.Logs) error {
	if !holdsDecision(logs) {
		addRecords(ctx, f.exporter.telemetry, "ignored", logs.LogRecordCount())
		return nil
	}
	return f.Logs.ConsumeLogs(ctx, logs)
}

func holdsDecision(logs plog.Logs) bool {
	for _, resource := range logs.ResourceLogs().All() {
		for _, scope := range resource.ScopeLogs().All() {
			for _, record := range scope.LogRecords().All() {
				if decisionlog.IsDecision(record) {
					return true
				}
			}
		}
	}
	return false
}

// receive turns logs into a request. It returns no error: the helper would
// drop the logs.
func (e *pgExporter) receive(ctx context.Context, logs plog.Logs) (xexporterhelper.Request, error) {
	decoder := e.decoders.Get().(*decisionlog.Decoder)
	defer e.decoders.Put(decoder)
	req := fromLogs(decoder, logs, e.config.AllowRawVMID)
	addRecords(ctx, e.telemetry, "ignored", logs.LogRecordCount()-req.ItemsCount())
	if e.config.ReleaseLogs {
		logs.ResourceLogs().MoveAndAppendTo(plog.NewLogs().ResourceLogs())
	}
	return req, nil
}

// fromLogs decodes and checks every decision, once.
func fromLogs(decoder *decisionlog.Decoder, logs plog.Logs, allowRawVMID bool) *request {
	count := logs.LogRecordCount()
	in := intake{
		decoder:  decoder,
		allowRaw: allowRawVMID,
		request:  request{rows: make([]row, 0, count)},
		copied:   make([]byte, 0, count*rowBytes),
	}
	for _, resource := range logs.ResourceLogs().All() {
		decoder.Resource(resource.Resource())
		for _, scope := range resource.ScopeLogs().All() {
			for _, record := range scope.LogRecords().All() {
				if decisionlog.IsDecision(record) {
					in.add(resource.Resource(), record)
				}
			}
		}
	}
	return &in.request
}

// rowBytes is somewhat more than a row of the sample has, with all its values.
const rowBytes = 640

// intake is a request being filled.
type intake struct {
	decoder  *decisionlog.Decoder
	allowRaw bool
	request  request
	copied   []byte // the rows, one after the other
	decision decision.Decision
}

func (in *intake) add(resource pcommon.Resource, record plog.LogRecord) {
	problems := in.decoder.Decode(record, decisionlog.Stored, &in.decision)
	if len(problems) > 0 {
		in.request.rejections = append(in.request.rejections, rejectRecord(resource, record, &in.decision, problems[0], in.allowRaw))
		return
	}
	in.keep(&in.decision, decisionlog.TraceOf(record))
}

// keep adds a valid decision. Where the rows outgrow their buffer, the ones
// before stay in the old one.
func (in *intake) keep(d *decision.Decision, trace *decisionlog.Trace) {
	start := len(in.copied)
	in.copied = decision.AppendCopyRow(in.copied, d)
	in.request.addRow(rowOf(d, in.copied[start:len(in.copied):len(in.copied)], trace), in.allowRaw)
}
