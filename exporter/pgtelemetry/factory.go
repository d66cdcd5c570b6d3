package pgtelemetry

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exporterhelper/xexporterhelper"

	"github.com/novacron/dwcp-telemetry/exporter/pgtelemetry/internal/metadata"
)

// NewFactory returns the factory that ocb builds into the collector.
func NewFactory() exporter.Factory {
	return exporter.NewFactory(metadata.Type,
		func() component.Config { return newDefaultConfig() },
		exporter.WithLogs(createLogs, metadata.LogsStability))
}

func createLogs(ctx context.Context, set exporter.Settings, cfg component.Config) (exporter.Logs, error) {
	config := cfg.(*Config)
	e, err := newPGExporter(config, set)
	if err != nil {
		return nil, err
	}
	helped, err := xexporterhelper.NewLogsRequest(ctx, set, e.receive, e.push,
		exporterhelper.WithTimeout(config.TimeoutConfig),
		exporterhelper.WithRetry(config.BackOffConfig),
		xexporterhelper.WithQueueBatch(config.QueueConfig, xexporterhelper.QueueBatchSettings{Encoding: queueEncoding{e}}),
		exporterhelper.WithStart(e.start),
		exporterhelper.WithShutdown(e.shutdown))
	if err != nil {
		return nil, err
	}
	return &decisionsOnly{Logs: helped, exporter: e}, nil
}
