package trainingset

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ExportOptions say which rows are exported. The zero value means all of them;
// DefaultExportOptions is the plan's filter.
type ExportOptions struct {
	Since          time.Duration // how far back from the database's now(); 0: everything
	MinQuality     float64       // quality_score must lie above it; 0: any score, even none
	CandidatesOnly bool          // is_training_candidate must be true
	Limit          int64         // at most so many rows, the oldest; 0: no limit
}

// DefaultExportOptions is the plan's filter: candidates of the last 30 days with
// a quality score above 0.8. Unlike the plan it has no limit, because that
// dropped the oldest rows without a word.
func DefaultExportOptions() ExportOptions {
	return ExportOptions{Since: 30 * day, MinQuality: 0.8, CandidatesOnly: true}
}

func (o ExportOptions) validate() error {
	switch {
	case o.Since < 0:
		return &OptionError{"since", o.Since.String(), "must not be negative"}
	case !(o.MinQuality >= 0 && o.MinQuality < 1): // so that NaN fails too
		return &OptionError{"min-quality", formatFloat(o.MinQuality), "must be at least 0 and below 1: scores are 0..1 and must lie above it"}
	case o.Limit < 0:
		return &OptionError{"limit", strconv.FormatInt(o.Limit, 10), "must not be negative; 0 means no limit"}
	}
	return nil
}

// condition is one part of the filter, in SQL over the view aliased as t, and
// in words for rows that fail it.
type condition struct {
	sql    string
	failed string
}

// filter is ExportOptions at a moment.
type filter struct {
	conditions []condition
	limit      int64
}

// newFilter fixes the cut-off, so that all queries of an export use the same
// and the planner can leave out older partitions.
func newFilter(o ExportOptions, from time.Time) filter {
	f := filter{limit: o.Limit}
	if o.Since > 0 {
		f.add("t.timestamp >= '"+formatTime(from)+"'::timestamptz", "older than "+formatTime(from))
	}
	if o.MinQuality > 0 {
		bound := formatFloat(o.MinQuality)
		f.add("t.quality_score > "+bound+"::float8", "with a quality score not above "+bound)
	}
	if o.CandidatesOnly {
		f.add("t.is_training_candidate", "no training candidates")
	}
	return f
}

func (f *filter) add(sql, failed string) {
	f.conditions = append(f.conditions, condition{sql, failed})
}

// selection is the SELECT of the rows that pass, oldest first. COPY takes no
// parameters, so numbers and times are written into it.
func (f *filter) selection(list string) string {
	sql := "SELECT " + list + " FROM " + view + " AS t" + f.where() + " ORDER BY t.timestamp, t.event_id"
	if f.limit > 0 {
		sql += " LIMIT " + strconv.FormatInt(f.limit, 10)
	}
	return sql
}

func (f *filter) where() string {
	if len(f.conditions) == 0 {
		return ""
	}
	parts := make([]string, len(f.conditions))
	for i, c := range f.conditions {
		parts[i] = c.sql
	}
	return " WHERE " + strings.Join(parts, " AND ")
}

// failures counts all rows and, for each condition, those that fail it.
func (f *filter) failures() string {
	counts := []string{"count(*)"}
	for _, c := range f.conditions {
		counts = append(counts, fmt.Sprintf("count(*) FILTER (WHERE (%s) IS NOT TRUE)", c.sql))
	}
	return "SELECT ARRAY[" + strings.Join(counts, ", ") + "] FROM " + view + " AS t"
}

func formatFloat(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }

func formatTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }
