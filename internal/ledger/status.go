package ledger

import (
	"context"
	_ "embed"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/novacron/dwcp-telemetry/internal/completeness"
	"github.com/novacron/dwcp-telemetry/internal/partitions"
)

// Recent is what was committed within some time.
type Recent struct {
	Written    int64 `json:"written"`
	Candidates int64 `json:"candidates"`
	Rejected   int64 `json:"rejected"`
	Duplicate  int64 `json:"duplicate"`
}

// columns are where the sums of a statement go, in its order.
func (r *Recent) columns() []any { return []any{&r.Written, &r.Candidates, &r.Rejected, &r.Duplicate} }

// Partition is one partition of the table.
type Partition = partitions.Partition

// Status is how the installation stands.
type Status struct {
	Now        time.Time `json:"now"` // by the database's clock, as all times are
	Totals     Totals    `json:"totals"`
	LastMinute Recent    `json:"last_minute"`
	LastHour   Recent    `json:"last_hour"`
	LastDay    Recent    `json:"last_day"` // 24 hours
	Progress   Progress  `json:"progress"`

	Completeness Completeness       `json:"completeness"`
	Removals     map[string]Removal `json:"removals"` // by kind: retention, forget
	Cutoff       time.Time          `json:"cutoff"`   // where the retention begins that the status was asked with

	Partitions []Partition `json:"partitions"`
	// Seconds since the newest decision written; nil where there is none,
	// negative where the emitter's clock runs ahead.
	NewestAgeSeconds *float64 `json:"newest_age_seconds"`
	Warnings         []string `json:"warnings,omitempty"`
}

//go:embed sql/recent.sql
var recentSQL string

// DefaultGoal is the plan's: 90 days, a milestone a week.
func DefaultGoal() Goal {
	return Goal{Retention: partitions.Defaults().Retention, Within: 7 * 24 * time.Hour}
}

// DB is a *pgx.Conn, a pgx.Tx or a *pgxpool.Pool.
type DB interface {
	Querier
	Begin(ctx context.Context) (pgx.Tx, error)
}

// ReadStatus reads ledger and partitions. That takes a few statements: on a busy
// system they may be milliseconds apart.
func ReadStatus(ctx context.Context, db DB, g Goal) (s Status, err error) {
	err = inTransaction(ctx, db, func(tx pgx.Tx) error {
		s, _, err = readStatus(ctx, tx, g, shownRecorders)
		return err
	})
	return s, err
}

// inTransaction has read run with settings that suit the ledger.
func inTransaction(ctx context.Context, db DB, read func(pgx.Tx) error) error {
	tx, err := db.Begin(ctx)
	if err != nil {
		return fmt.Errorf("read the load ledger: %w", err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // nothing was written
	if _, err := tx.Exec(ctx, completeness.Settings); err != nil {
		return fmt.Errorf("read the load ledger: %w", err)
	}
	return read(tx)
}

// readStatus also returns the recorders that lost the most, or nothing.
func readStatus(ctx context.Context, tx pgx.Tx, g Goal, recorders int) (s Status, least []Recorder, err error) {
	if s.Totals, err = ReadTotals(ctx, tx); err != nil {
		return Status{}, nil, err
	}
	if err := s.readRecent(ctx, tx, g); err != nil {
		return Status{}, nil, err
	}
	if s.Completeness, least, err = readCompleteness(ctx, tx, recorders); err != nil {
		return Status{}, nil, err
	}
	if s.Removals, err = readRemovals(ctx, tx); err != nil {
		return Status{}, nil, err
	}
	if s.Partitions, err = readPartitions(ctx, tx); err != nil {
		return Status{}, nil, err
	}
	if !s.Totals.Newest.IsZero() {
		seconds := s.Now.Sub(s.Totals.Newest).Seconds()
		s.NewestAgeSeconds = &seconds
	}
	s.Warnings = s.warnings()
	return s, least, nil
}

// readRecent reads the last day, and what follows from it.
func (s *Status) readRecent(ctx context.Context, q Querier, g Goal) error {
	var since *time.Time
	row := []any{&s.Now}
	for _, r := range []*Recent{&s.LastMinute, &s.LastHour, &s.LastDay} {
		row = append(row, r.columns()...)
	}
	err := q.QueryRow(ctx, recentSQL).Scan(append(row, &since)...)
	if err != nil {
		return explain("sum up the last day of the load ledger", err)
	}
	s.Now = s.Now.UTC()
	s.Cutoff = s.Now.Add(-g.Retention)
	s.Progress = s.progress(g, since)
	return nil
}

// readPartitions leaves out what is none any more.
func readPartitions(ctx context.Context, q Querier) (held []Partition, err error) {
	all, err := partitions.List(ctx, q)
	for _, p := range all {
		if p.State == partitions.Attached || p.State == partitions.DetachPending {
			held = append(held, p)
		}
	}
	return held, err
}

// warnings are what someone should do something about.
func (s *Status) warnings() (warnings []string) {
	t := s.Totals
	if !t.Accounted() {
		warnings = append(warnings, fmt.Sprintf(
			"received %d is not written %d + duplicate %d + rejected %d: the ledger was changed by hand or a batch is lost",
			t.Received, t.Written, t.Duplicate, t.Rejected))
	}
	if t.Conflict > 0 {
		warnings = append(warnings, fmt.Sprintf(
			"%d of the duplicates came with other content under the same id; the first one was kept", t.Conflict))
	}
	if c := s.Completeness; c.Share() < LeastCompleteness {
		warnings = append(warnings, fmt.Sprintf(
			"only %.1f %% of what the Recorders numbered came, less than %.0f %%: their rings were full, or it is still under way", 100*c.Share(), 100*LeastCompleteness))
	}
	return append(warnings, s.partitionWarnings()...)
}

// partitionWarnings go by the retention that was asked with: the collector's is
// not known here.
func (s *Status) partitionWarnings() (warnings []string) {
	covered := partitions.CoveredUntil(s.Partitions, s.Now)
	ahead := partitions.CountAhead(s.Partitions, s.Now)
	if !covered.IsZero() && (covered.Equal(s.Now) || ahead == 0) {
		warnings = append(warnings, fmt.Sprintf(
			"no partition holds %s; the collector makes it on demand, or `dwcp-telemetry partitions run` does", covered.Format(time.DateOnly)))
	}
	expired := 0
	for _, p := range s.Partitions {
		if !p.To.IsZero() && !p.To.After(s.Cutoff) {
			expired++
		}
	}
	if expired > 0 {
		warnings = append(warnings, fmt.Sprintf(
			"%d partitions are older than %s, by a retention of %g days: unless the collector's is longer (--retention) nobody keeps it (maintenance::dsn); `dwcp-telemetry partitions plan` says more",
			expired, s.Cutoff.Format(time.DateOnly), days(s.Now.Sub(s.Cutoff))))
	}
	return warnings
}
