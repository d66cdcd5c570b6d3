package pgtelemetry

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/novacron/dwcp-telemetry/internal/partitions"
)

// keepAhead makes partitions ahead, as the writer, and measures what is there.
func (e *pgExporter) keepAhead(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, upkeepLimit)
	defer cancel()
	if err := e.verify(ctx); err != nil {
		return err
	}
	made, err := partitions.EnsureAhead(ctx, e.writer.pool, e.config.settings())
	if len(made) > 0 {
		e.log.Info("partitions are made ahead", zap.Strings("partitions", made))
	}
	if err != nil {
		return err
	}
	return e.survey(ctx)
}

// survey measures the partitions, and says what somebody has to look after: once,
// until it changes.
func (e *pgExporter) survey(ctx context.Context) error {
	survey, err := partitions.Look(ctx, e.writer.pool, e.config.settings())
	if err != nil {
		return err
	}
	expired := 0
	for _, p := range survey.Partitions {
		if p.State == partitions.Expired || p.State == partitions.Detached {
			expired++
		}
	}
	e.telemetry.PgtelemetryPartitionsAhead.Record(ctx, int64(partitions.CountAhead(survey.Partitions, survey.Now)))
	e.telemetry.PgtelemetryPartitionsExpired.Record(ctx, int64(expired))
	if covered := partitions.CoveredUntil(survey.Partitions, survey.Now); !covered.IsZero() {
		e.telemetry.PgtelemetryPartitionsCovered.Record(ctx, covered.Sub(survey.Now).Hours()/24)
	}
	e.warn(survey.Warnings())
	return nil
}

func (e *pgExporter) warn(warnings []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := strings.Join(warnings, "; ")
	if all == e.warned {
		return
	}
	e.warned = all
	for _, warning := range warnings {
		e.log.Warn(warning)
	}
}

// maintainer is the connection of maintenance: read anew for each round, like
// the writer's, for a rotation to need no restart.
func (c *Config) maintainer() (*pgx.ConnConfig, error) {
	own := *c
	own.DSN = c.Maintenance.DSN
	pool, err := own.parseDSN()
	if err != nil {
		return nil, fmt.Errorf("maintenance::%w", err)
	}
	if pool.ConnConfig.RuntimeParams["application_name"] == applicationName {
		pool.ConnConfig.RuntimeParams["application_name"] += " maintenance"
	}
	return pool.ConnConfig, nil
}

// maintain does one round of maintenance, if no other collector is at it.
func (e *pgExporter) maintain(ctx context.Context) error {
	report, err := e.maintainOnce(ctx)
	e.countMaintenance(ctx, report, err)
	for _, why := range report.Postponed {
		e.log.Warn("maintenance leaves something to the next round", zap.String("what", why))
	}
	if len(report.Dropped) > 0 || report.Trimmed > 0 || report.Purged > 0 {
		e.log.Info("what is older than the retention is taken out", zap.Time("older_than", report.Cutoff),
			zap.Any("dropped", report.Dropped), zap.Int64("trimmed", report.Trimmed), zap.Int64("rejected", report.Purged))
	}
	return err
}

func (e *pgExporter) maintainOnce(ctx context.Context) (*partitions.Report, error) {
	none := &partitions.Report{}
	settings, err := e.config.maintainer()
	if err != nil {
		return none, err
	}
	conn, err := pgx.ConnectConfig(ctx, settings)
	if err != nil {
		return none, fmt.Errorf("connect for maintenance: %w", err)
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackLimit)
		defer cancel()
		_ = conn.Close(ctx) // with it the lock of maintenance goes
	}()
	report, err := partitions.New(e.config.settings()).Run(ctx, conn)
	if err != nil {
		return report, fmt.Errorf("maintain the table: %w", err)
	}
	if !report.Busy {
		return report, e.survey(ctx)
	}
	return report, nil
}

func (e *pgExporter) countMaintenance(ctx context.Context, report *partitions.Report, err error) {
	outcome := "done"
	switch {
	case err != nil:
		outcome = "failed"
	case report.Busy:
		outcome = "busy"
	case len(report.Postponed) > 0:
		outcome = "postponed"
	}
	e.telemetry.PgtelemetryMaintenance.Add(ctx, 1, metric.WithAttributes(attribute.String("round", outcome)))
	var dropped int64
	for _, p := range report.Dropped {
		dropped += p.Rows
	}
	for way, rows := range map[string]int64{"dropped": dropped, "trimmed": report.Trimmed, "rejected": report.Purged} {
		if rows > 0 {
			e.telemetry.PgtelemetryRemoved.Add(ctx, rows, metric.WithAttributes(attribute.String("way", way)))
		}
	}
}

// sayWhoMaintains is for the log of the start: a retention that nobody keeps is
// found out late otherwise.
func (e *pgExporter) sayWhoMaintains() {
	if e.config.Maintenance.DSN == "" {
		e.log.Info("this collector takes nothing out: maintenance::dsn is empty, so the retention is kept only if another one has it",
			zap.Duration("retention", e.config.Retention))
		return
	}
	e.log.Info("this collector takes out what is older than the retention", zap.Duration("retention", e.config.Retention),
		zap.Duration("interval", e.config.Maintenance.Interval))
}
