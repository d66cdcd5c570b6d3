package ledger

import (
	"context"
	_ "embed"
	"fmt"
	"time"

	"github.com/novacron/dwcp-telemetry/internal/partitions"
)

// Recent is what was committed within some time.
type Recent struct {
	Written    int64 `json:"written"`
	Candidates int64 `json:"candidates"`
}

// Partition is one partition of the table.
type Partition = partitions.Partition

// Status is how the installation stands.
type Status struct {
	Now        time.Time   `json:"now"` // by the database's clock, as all times are
	Totals     Totals      `json:"totals"`
	LastHour   Recent      `json:"last_hour"`
	LastDay    Recent      `json:"last_day"` // 24 hours
	Partitions []Partition `json:"partitions"`
	// Seconds since the newest decision written; nil where there is none,
	// negative where the emitter's clock runs ahead.
	NewestAgeSeconds *float64 `json:"newest_age_seconds"`
	Warnings         []string `json:"warnings,omitempty"`
}

//go:embed sql/recent.sql
var recentSQL string

// ReadStatus reads totals, recent batches and partitions. They are three
// statements: on a busy system they may be milliseconds apart. What has expired
// goes by the retention, which is the collector's to know: the database does not.
func ReadStatus(ctx context.Context, q Querier, retention time.Duration) (Status, error) {
	var s Status
	var err error
	if s.Totals, err = ReadTotals(ctx, q); err != nil {
		return Status{}, err
	}
	err = q.QueryRow(ctx, recentSQL).Scan(&s.Now, &s.LastHour.Written, &s.LastHour.Candidates,
		&s.LastDay.Written, &s.LastDay.Candidates)
	if err != nil {
		return Status{}, explain("sum up the last day of the load ledger", err)
	}
	s.Now = s.Now.UTC()
	if s.Partitions, err = readPartitions(ctx, q); err != nil {
		return Status{}, err
	}
	if !s.Totals.Newest.IsZero() {
		seconds := s.Now.Sub(s.Totals.Newest).Seconds()
		s.NewestAgeSeconds = &seconds
	}
	s.Warnings = s.warnings(retention)
	return s, nil
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
func (s *Status) warnings(retention time.Duration) (warnings []string) {
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
	return append(warnings, s.partitionWarnings(retention)...)
}

func (s *Status) partitionWarnings(retention time.Duration) (warnings []string) {
	covered := partitions.CoveredUntil(s.Partitions, s.Now)
	ahead := partitions.CountAhead(s.Partitions, s.Now)
	if !covered.IsZero() && (covered.Equal(s.Now) || ahead == 0) {
		warnings = append(warnings, fmt.Sprintf(
			"no partition holds %s; the collector makes it on demand, or `dwcp-telemetry partitions run` does", covered.Format(time.DateOnly)))
	}
	cutoff := s.Now.Add(-retention)
	expired := 0
	for _, p := range s.Partitions {
		if !p.To.IsZero() && !p.To.After(cutoff) {
			expired++
		}
	}
	if expired > 0 {
		warnings = append(warnings, fmt.Sprintf(
			"%d partitions are older than %s, by a retention of %g days: unless the collector's is longer (--retention) nobody keeps it (maintenance::dsn); `dwcp-telemetry partitions plan` says more",
			expired, cutoff.Format(time.DateOnly), retention.Hours()/24))
	}
	return warnings
}
