package ledger

import (
	"context"
	_ "embed"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Recent is what was committed within some time.
type Recent struct {
	Written    int64 `json:"written"`
	Candidates int64 `json:"candidates"`
}

// Partition is one partition of the table.
type Partition struct {
	Name          string    `json:"name"`
	From          time.Time `json:"from,omitzero"` // zero for one without bounds
	To            time.Time `json:"to,omitzero"`   // excluded
	EstimatedRows int64     `json:"estimated_rows"`
	Bytes         int64     `json:"bytes"` // with its indexes
}

// holds reports whether a decision of that moment belongs into it.
func (p Partition) holds(moment time.Time) bool {
	return !moment.Before(p.From) && moment.Before(p.To)
}

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

var (
	//go:embed sql/recent.sql
	recentSQL string
	//go:embed sql/partitions.sql
	partitionsSQL string
)

// ReadStatus reads totals, recent batches and partitions. They are three
// statements: on a busy system they may be milliseconds apart.
func ReadStatus(ctx context.Context, q Querier) (Status, error) {
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
	s.Warnings = s.warnings()
	return s, nil
}

func readPartitions(ctx context.Context, q Querier) ([]Partition, error) {
	rows, err := q.Query(ctx, partitionsSQL)
	if err != nil {
		return nil, explain("list the partitions", err)
	}
	partitions, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Partition, error) {
		var p Partition
		var from, to *time.Time
		err := row.Scan(&p.Name, &from, &to, &p.EstimatedRows, &p.Bytes)
		p.From, p.To = orZero(from), orZero(to)
		return p, err
	})
	if err != nil {
		return nil, explain("list the partitions", err)
	}
	return partitions, nil
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
	next := nextMonth(s.Now)
	for _, moment := range []time.Time{s.Now, next} {
		if !s.covers(moment) {
			warnings = append(warnings, fmt.Sprintf(
				"no partition holds %s; the collector makes it on demand, or `SELECT ensure_partition('%s')` does",
				moment.Format("January 2006"), moment.Format(time.DateOnly)))
		}
	}
	return warnings
}

func (s *Status) covers(moment time.Time) bool {
	for _, p := range s.Partitions {
		if p.holds(moment) {
			return true
		}
	}
	return false
}

func nextMonth(now time.Time) time.Time {
	return time.Date(now.Year(), now.Month()+1, 1, 0, 0, 0, 0, time.UTC)
}
