package trainingset

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// ExportResult is what one export holds, counted in the snapshot of the CSV.
type ExportResult struct {
	File  string `json:"file"`
	Rows  int64  `json:"rows"`
	Bytes int64  `json:"bytes"`

	// The filter's window: From is zero where it reaches back without end, To
	// is the database's time. Rows of a clock that runs ahead may lie after To.
	From time.Time `json:"from,omitzero"`
	To   time.Time `json:"to"`
	// The times of the first and the last row; zero where there is none.
	Oldest time.Time `json:"oldest,omitzero"`
	Newest time.Time `json:"newest,omitzero"`

	Balance Balance `json:"balance"`
	// Of the rows that say which algorithm was really used, how many used the
	// one that the oracle picks.
	WithActual int64 `json:"with_actual"`
	Agreed     int64 `json:"agreed"`

	OracleVersions map[string]int64 `json:"oracle_versions"` // rows by version, "" for none
	Warnings       []string         `json:"warnings,omitempty"`
}

// Agreement is the share of rows whose algorithm really used is the oracle's,
// 0..1, of those that say which one was used.
func (r ExportResult) Agreement() float64 { return share(r.Agreed, r.WithActual) }

const summarySQL = `
SELECT link_type, oracle_algorithm, coalesce(oracle_version, ''), count(*), count(actual_algorithm),
       count(*) FILTER (WHERE actual_algorithm = oracle_algorithm), min(timestamp), max(timestamp)
FROM (%s) AS chosen
GROUP BY link_type, oracle_algorithm, oracle_version`

// summarize counts what the CSV will hold.
func (s *snapshot) summarize(ctx context.Context) (ExportResult, error) {
	result := ExportResult{From: s.from, To: s.to, Balance: Balance{}, OracleVersions: map[string]int64{}}
	sql := fmt.Sprintf(summarySQL, s.filter.selection("t.*"))
	rows, err := s.tx.Query(ctx, sql)
	if err != nil {
		return result, explain("count the rows to export", err)
	}
	var link, label, version string
	var n, withActual, agreed int64
	var oldest, newest time.Time
	_, err = pgx.ForEachRow(rows, []any{&link, &label, &version, &n, &withActual, &agreed, &oldest, &newest}, func() error {
		result.Rows += n
		result.WithActual += withActual
		result.Agreed += agreed
		result.Balance.add(link, label, n)
		result.OracleVersions[version] += n
		result.widen(oldest.UTC(), newest.UTC())
		return nil
	})
	if err != nil {
		return result, explain("count the rows to export", err)
	}
	err = s.warn(ctx, &result)
	return result, err
}

func (r *ExportResult) widen(oldest, newest time.Time) {
	if r.Oldest.IsZero() || oldest.Before(r.Oldest) {
		r.Oldest = oldest
	}
	if newest.After(r.Newest) {
		r.Newest = newest
	}
}

// warn says what is surprising about an export that did all it was asked to.
func (s *snapshot) warn(ctx context.Context, result *ExportResult) error {
	if len(result.OracleVersions) > 1 {
		var versions []string
		for _, name := range slices.Sorted(maps.Keys(result.OracleVersions)) {
			versions = append(versions, fmt.Sprintf("%s (%d rows)", versionName(name), result.OracleVersions[name]))
		}
		result.Warnings = append(result.Warnings,
			"the labels come from different rules, which a model cannot learn as one: "+strings.Join(versions, ", "))
	}
	if result.Rows > 0 {
		return nil
	}
	why, err := s.whyEmpty(ctx)
	result.Warnings = append(result.Warnings, why)
	return err
}

// whyEmpty says how many rows there are and what keeps them out. It reads the
// whole table, which is worth it: an empty export is always a surprise.
func (s *snapshot) whyEmpty(ctx context.Context) (string, error) {
	var counts []int64
	if err := s.tx.QueryRow(ctx, s.filter.failures()).Scan(&counts); err != nil {
		return "", explain("count the rows outside the filter", err)
	}
	if counts[0] == 0 {
		return "the table holds no rows yet, so the CSV has only its header", nil
	}
	var why []string
	for i, c := range s.filter.conditions {
		if n := counts[i+1]; n > 0 {
			why = append(why, fmt.Sprintf("%d %s", n, c.failed))
		}
	}
	return fmt.Sprintf("no row passes the filter, so the CSV has only its header; of the %d rows in the table: %s",
		counts[0], strings.Join(why, ", ")), nil
}

func versionName(version string) string {
	if version == "" {
		return "none"
	}
	return version
}

// WriteText writes the result for a person to read.
func (r ExportResult) WriteText(w io.Writer) error {
	t := &text{w: w}
	t.line("Exported %d rows to %s (%d bytes)", r.Rows, r.File, r.Bytes)
	if r.Rows > 0 {
		t.line("decisions from %s to %s", formatTime(r.Oldest), formatTime(r.Newest))
		t.section(r.Balance.WriteText)
		t.line("The algorithm really used is the oracle's in %s of %d rows.", percent(r.Agreement()), r.WithActual)
	}
	if len(r.OracleVersions) == 1 {
		t.line("All labels are of the rule %s.", versionName(slices.Collect(maps.Keys(r.OracleVersions))[0]))
	}
	for _, warning := range r.Warnings {
		t.line("warning: %s", warning)
	}
	return t.err
}
