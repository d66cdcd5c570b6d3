package pgtelemetry

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/jackc/pgx/v5/pgxpool"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper/xexporterhelper"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/novacron/dwcp-telemetry/exporter/pgtelemetry/internal/metadata"
	"github.com/novacron/dwcp-telemetry/internal/decisionlog"
)

// pgExporter is the exporter behind the queue.
type pgExporter struct {
	config    *Config
	log       *zap.Logger
	telemetry *metadata.TelemetryBuilder
	measures  *measures
	health    *health
	decoders  sync.Pool // of *decisionlog.Decoder

	writer   *writer
	verified atomic.Bool // the table is the one this version writes
	upkeep   *upkeep

	mu     sync.Mutex
	warned string // the last warnings about partitions
}

func newPGExporter(config *Config, set exporter.Settings) (*pgExporter, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	counted, err := newMeasures(telemetry)
	if err != nil {
		return nil, err
	}
	return &pgExporter{
		config:    config,
		log:       set.Logger,
		telemetry: telemetry,
		measures:  counted,
		health:    &health{log: set.Logger},
		decoders:  sync.Pool{New: func() any { return new(decisionlog.Decoder) }},
	}, nil
}

// start succeeds whether PostgreSQL can be reached or not.
func (e *pgExporter) start(_ context.Context, host component.Host) error {
	e.health.host = host
	settings, err := e.config.pool()
	if err != nil {
		return err
	}
	pool, err := pgxpool.NewWithConfig(context.Background(), settings)
	if err != nil {
		return fmt.Errorf("make the connection pool: %w", err)
	}
	e.writer = &writer{pool: pool, begin: e.config.beginStatement(), retention: e.config.Retention, allowedSkew: e.config.AllowedSkew, period: e.config.Partitions.Period}
	e.upkeep = startUpkeep(e)
	return nil
}

func (e *pgExporter) shutdown(context.Context) error {
	if e.upkeep != nil {
		e.upkeep.stop()
		e.writer.pool.Close()
	}
	e.telemetry.Shutdown()
	return nil
}

// push writes one batch. Its errors are never permanent: exporterhelper would
// drop the batch.
func (e *pgExporter) push(ctx context.Context, item xexporterhelper.Request) error {
	res, err := e.write(ctx, item)
	if errors.Is(err, context.Canceled) {
		return err // the sender's or the shutdown's doing, not the database's
	}
	e.health.report(writing, err)
	if err != nil {
		e.verified.Store(false) // the table may have changed: look again
		e.writer.abandon(err)
		e.telemetry.PgtelemetryFailures.Add(ctx, 1, metric.WithAttributes(attribute.String("sqlstate", sqlstate(err))))
		return outward(err)
	}
	e.measures.add(ctx, res)
	return nil
}

func (e *pgExporter) write(ctx context.Context, item xexporterhelper.Request) (*result, error) {
	req, ok := item.(*request)
	if !ok {
		return nil, fmt.Errorf("write a %T", item)
	}
	if err := e.verify(ctx); err != nil {
		return nil, err
	}
	return e.writer.write(ctx, newBatch(req, e.config.AllowRawVMID))
}

// verify compares the table with the list of fields, once it can be reached.
func (e *pgExporter) verify(ctx context.Context) error {
	if e.verified.Load() {
		return nil
	}
	if err := e.writer.checkSchema(ctx); err != nil {
		return err
	}
	e.verified.Store(true)
	return nil
}
