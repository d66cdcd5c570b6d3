package vmpartition

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/novacron/dwcp-telemetry/connector/vmpartition/internal/metadata"
)

// NewFactory returns the factory that ocb builds into the collector.
func NewFactory() connector.Factory {
	return connector.NewFactory(metadata.Type,
		func() component.Config { return defaultConfig() },
		connector.WithLogsToLogs(createLogs, metadata.LogsToLogsStability))
}

// createLogs makes the connector out of the half of an exporter that brings
// queue, batches and retry; its other half is the next pipeline.
func createLogs(ctx context.Context, set connector.Settings, cfg component.Config, next consumer.Logs) (connector.Logs, error) {
	c := cfg.(*Config)
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	abandoned, abandon := context.WithCancel(context.Background())
	p := &partitioner{
		keys: keys(c.Partitions), next: next, abandoned: abandoned,
		refusals: &refusals{counter: telemetry.VmpartitionRefused, log: set.Logger},
	}
	logs, err := exporterhelper.NewLogs(ctx, asExporter(set), cfg, p.push,
		exporterhelper.WithCapabilities(consumer.Capabilities{MutatesData: true}), // records move into parts
		exporterhelper.WithTimeout(exporterhelper.TimeoutConfig{}),                // the exporter's own holds
		exporterhelper.WithQueue(c.Queue),
		exporterhelper.WithRetry(c.Retry),
		exporterhelper.WithShutdown(func(context.Context) error {
			telemetry.Shutdown()
			return nil
		}))
	if err != nil {
		abandon()
		return nil, err
	}
	return &stoppable{Logs: logs, abandon: abandon}, nil
}

// stoppable is a connector whose end does not wait for a Kafka that cannot be reached.
type stoppable struct {
	connector.Logs
	abandon context.CancelFunc
}

// answerLimit is how long the end waits for answers under way. A message that is abandoned
// stays in the queue, and is sent again after the next start.
const answerLimit = 2 * time.Second

func (s *stoppable) Shutdown(ctx context.Context) error {
	timer := time.AfterFunc(answerLimit, s.abandon)
	defer s.abandon()
	defer timer.Stop()
	return s.Logs.Shutdown(ctx)
}

func asExporter(set connector.Settings) exporter.Settings {
	return exporter.Settings{ID: set.ID, TelemetrySettings: set.TelemetrySettings, BuildInfo: set.BuildInfo}
}
