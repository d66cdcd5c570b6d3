package oraclelabel

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processorhelper"

	"github.com/novacron/dwcp-telemetry/internal/oracle"
	"github.com/novacron/dwcp-telemetry/processor/oraclelabel/internal/metadata"
)

// NewFactory returns the factory that ocb builds into the collector.
func NewFactory() processor.Factory {
	return processor.NewFactory(metadata.Type, createDefaultConfig,
		processor.WithLogs(createLogs, metadata.LogsStability))
}

func createDefaultConfig() component.Config {
	return &Config{Rule: oracle.Plan.Version(), Pseudonymise: HMACSHA256}
}

func createLogs(ctx context.Context, set processor.Settings, cfg component.Config, next consumer.Logs) (processor.Logs, error) {
	l, err := newLabeller(cfg.(*Config), set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	return processorhelper.NewLogs(ctx, set, cfg, next, l.process,
		processorhelper.WithCapabilities(consumer.Capabilities{MutatesData: true}),
		processorhelper.WithStart(l.start),
		processorhelper.WithShutdown(l.shutdown))
}
