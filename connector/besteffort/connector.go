// Package besteffort is a collector connector that passes logs on and never
// returns an error: what the pipeline behind it refuses is counted, logged at
// most once a minute, and lost.
//
// It stands before a parallel backend. The collector's fan-out returns the
// error of any branch to the sender, which then sends the whole batch again and
// again, so that without it a dead backend with a full queue stops our own rows.
// It adds no queue and no waiting: the exporter behind it must bring a queue
// that does not block when it is full.
package besteffort

//go:generate go tool mdatagen metadata.yaml

import (
	"context"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"

	"github.com/novacron/dwcp-telemetry/connector/besteffort/internal/metadata"
)

// Config is empty: there is nothing to set.
type Config struct{}

// NewFactory returns the factory that ocb builds into the collector.
func NewFactory() connector.Factory {
	return connector.NewFactory(metadata.Type,
		func() component.Config { return &Config{} },
		connector.WithLogsToLogs(createLogs, metadata.LogsToLogsStability))
}

func createLogs(_ context.Context, set connector.Settings, _ component.Config, next consumer.Logs) (connector.Logs, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	return &bestEffort{next: next, telemetry: telemetry, log: set.Logger}, nil
}

type bestEffort struct {
	component.StartFunc
	next      consumer.Logs
	telemetry *metadata.TelemetryBuilder
	log       *zap.Logger
	told      atomic.Int64 // Unix seconds of the last warning
}

func (b *bestEffort) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: false}
}

// ConsumeLogs always returns nil.
func (b *bestEffort) ConsumeLogs(ctx context.Context, logs plog.Logs) error {
	records := int64(logs.LogRecordCount())
	if err := b.next.ConsumeLogs(ctx, logs); err != nil {
		b.telemetry.BesteffortLost.Add(ctx, records)
		b.warn(records, err)
	}
	return nil
}

const warnEvery = 60 // seconds

func (b *bestEffort) warn(records int64, err error) {
	now, last := time.Now().Unix(), b.told.Load()
	if now-last >= warnEvery && b.told.CompareAndSwap(last, now) {
		b.log.Warn("the pipeline behind this connector refuses logs; they are lost to it, and to it alone",
			zap.Int64("records", records), zap.Error(err))
	}
}

func (b *bestEffort) Shutdown(context.Context) error {
	b.telemetry.Shutdown()
	return nil
}
