package pgtelemetry

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/novacron/dwcp-telemetry/exporter/pgtelemetry/internal/metadata"
)

// durations are how long a committed batch took.
type durations struct{ all, copy, commit time.Duration }

// measures are the exporter's own metrics of what it has written.
type measures struct {
	telemetry *metadata.TelemetryBuilder

	mu     sync.Mutex
	newest time.Time     // the newest decision written, zero before the first
	age    time.Duration // of it, by PostgreSQL's clock, when it was written
	at     time.Time     // when that was, by ours: only its monotonic part is used
}

func newMeasures(telemetry *metadata.TelemetryBuilder) (*measures, error) {
	m := &measures{telemetry: telemetry}
	return m, telemetry.RegisterPgtelemetryNewestAgeCallback(m.observeAge)
}

// add counts a committed batch.
func (m *measures) add(ctx context.Context, res *result) {
	addRecords(ctx, m.telemetry, "written", int(res.written.rows))
	addRecords(ctx, m.telemetry, "duplicate", int(res.duplicate))
	addRecords(ctx, m.telemetry, "conflict", int(res.conflict))
	addRecords(ctx, m.telemetry, "rejected", int(res.rejectedRows()))
	for reason, n := range res.rejected {
		m.telemetry.PgtelemetryRejected.Add(ctx, n, metric.WithAttributes(attribute.String("reason", reason)))
	}
	mode := metric.WithAttributes(attribute.String("mode", res.mode.String()))
	m.telemetry.PgtelemetryBatches.Add(ctx, 1, mode)
	m.telemetry.PgtelemetryBatchSize.Record(ctx, int64(res.received))
	m.telemetry.PgtelemetryBatchDuration.Record(ctx, res.took.all.Seconds())
	m.telemetry.PgtelemetryCopyDuration.Record(ctx, res.took.copy.Seconds(), mode)
	m.telemetry.PgtelemetryCommitDuration.Record(ctx, res.took.commit.Seconds())
	if res.written.newest != nil {
		m.wrote(*res.written.newest, res.now)
	}
}

// wrote remembers the newest decision of all batches.
func (m *measures) wrote(newest, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if newest.After(m.newest) {
		m.newest, m.age, m.at = newest, now.Sub(newest), time.Now()
	}
}

func (m *measures) observeAge(_ context.Context, observer metric.Float64Observer) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.newest.IsZero() {
		observer.Observe((m.age + time.Since(m.at)).Seconds())
	}
	return nil
}

func addRecords(ctx context.Context, telemetry *metadata.TelemetryBuilder, outcome string, n int) {
	if n > 0 {
		telemetry.PgtelemetryRecords.Add(ctx, int64(n), metric.WithAttributes(attribute.String("outcome", outcome)))
	}
}
