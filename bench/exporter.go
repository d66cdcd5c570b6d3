package main

import (
	"context"
	"errors"
	"sync/atomic"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	noopmetric "go.opentelemetry.io/otel/metric/noop"
	nooptrace "go.opentelemetry.io/otel/trace/noop"
	"go.uber.org/zap"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/exporter/pgtelemetry"
	"github.com/novacron/dwcp-telemetry/internal/decisionlog"
)

// batchRows is the exporter's batch.
const batchRows = 5000

// exporterAlone gives decoded batches to the exporter, as many at once as it
// has consumers, until they are committed.
func (b *bench) exporterAlone(ctx context.Context, consumers int) (*measured, error) {
	e, err := b.startExporter(ctx)
	if err != nil {
		return nil, err
	}
	batches := make([]*logBatch, consumers)
	for i := range batches {
		batches[i] = newLogBatch(b.source.fork())
	}
	var begun atomic.Int64
	m, err := b.measure(ctx, b.rows, func() error {
		return atOnce(consumers, func(i int) error {
			for int(begun.Add(batchRows)) <= b.rows {
				if err := e.ConsumeLogs(ctx, batches[i].renewed()); err != nil {
					return err
				}
			}
			return nil
		})
	})
	return m, errors.Join(err, e.Shutdown(ctx))
}

// startExporter starts the exporter without its queue, so that ConsumeLogs
// returns once the batch is committed.
func (b *bench) startExporter(ctx context.Context) (exporter.Logs, error) {
	factory := pgtelemetry.NewFactory()
	config := factory.CreateDefaultConfig()
	err := confmap.NewFromStringMap(map[string]any{
		"dsn":              b.server.writerURL(),
		"sending_queue":    map[string]any{"enabled": false},
		"retry_on_failure": map[string]any{"enabled": false},
	}).Unmarshal(config)
	if err != nil {
		return nil, err
	}
	e, err := factory.CreateLogs(ctx, exporter.Settings{
		ID: component.NewID(factory.Type()),
		TelemetrySettings: component.TelemetrySettings{
			Logger: zap.NewNop(), MeterProvider: noopmetric.NewMeterProvider(), TracerProvider: nooptrace.NewTracerProvider(),
		},
	}, config)
	if err != nil {
		return nil, err
	}
	return e, e.Start(ctx, noHost{})
}

// noHost is a collector without extensions.
type noHost struct{}

func (noHost) GetExtensions() map[component.ID]component.Component { return nil }

// logBatch is a batch of decisions in pdata that can be given out again and
// again as another one: making it anew takes longer than writing it.
type logBatch struct {
	source  *source
	logs    plog.Logs
	records []plog.LogRecord
	ids     []pcommon.Value
}

func newLogBatch(s *source) *logBatch {
	b := &logBatch{source: s, logs: plog.NewLogs()}
	resource := b.logs.ResourceLogs().AppendEmpty()
	decisionlog.EncodeResource(&s.labelled[0], resource.Resource())
	records := resource.ScopeLogs().AppendEmpty().LogRecords()
	for range batchRows {
		d := s.next()
		decisionlog.Encode(&d, records.AppendEmpty())
	}
	for _, record := range records.All() {
		id, _ := record.Attributes().Get(decision.Column("event_id").Key)
		b.records, b.ids = append(b.records, record), append(b.ids, id)
	}
	return b
}

// renewed is the batch with new ids and times.
func (b *logBatch) renewed() plog.Logs {
	for i := range b.ids {
		at, id := b.source.nextKey()
		b.records[i].SetTimestamp(pcommon.NewTimestampFromTime(at))
		b.ids[i].SetStr(id.String())
	}
	return b.logs
}
