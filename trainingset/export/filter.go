package export

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/trainingset"
)

// view is what the role dwcp_ml_reader may read.
const view = "public.compression_telemetry_ml"

// Filter says which rows are exported. The zero value means every row up to the
// database's now().
type Filter struct {
	Since time.Duration // how far back from To; 0: see From
	From  time.Time     // the first moment; zero: everything. Not with Since.
	To    time.Time     // the first moment that is not in it; zero: the database's now()

	MinQuality     float64 // quality_score must lie above it; 0: any score, even none
	CandidatesOnly bool    // is_training_candidate must be true

	// One of these, where there are any.
	LinkTypes      []string
	Regions        []string
	Environments   []string
	OracleVersions []string

	// One VM, by all that the table may call it: a subject's own data. None is
	// everybody.
	VMIDs []string
}

func (f *Filter) validate() error {
	wrong := func(option, value, rule string) error {
		return &trainingset.OptionError{Option: option, Value: value, Rule: rule}
	}
	switch {
	case f.Since < 0:
		return wrong("since", f.Since.String(), "must not be negative")
	case f.Since > 0 && !f.From.IsZero():
		return wrong("since", f.Since.String(), "says when the window begins, and so does --from")
	case !f.From.IsZero() && !f.To.IsZero() && !f.From.Before(f.To):
		return wrong("from", formatTime(f.From), "must be before --to, "+formatTime(f.To))
	case !(f.MinQuality >= 0 && f.MinQuality < 1): // so that NaN fails too
		return wrong("min-quality", formatFloat(f.MinQuality), "must be at least 0 and below 1: scores are 0..1 and must lie above it")
	}
	for _, problem := range []error{
		checkText("link-type", "link_type", f.LinkTypes),
		checkText("region", "region", f.Regions),
		checkText("environment", "environment", f.Environments),
		checkText("oracle-version", "oracle_version", f.OracleVersions),
		checkText("vm-id", "vm_id", f.VMIDs),
	} {
		if problem != nil {
			return problem
		}
	}
	return nil
}

// window is the time that an export covers, fixed once for all its queries.
type window struct {
	from, to time.Time // from is zero where it reaches back without end; to is exclusive
}

func (f *Filter) window(now time.Time) window {
	w := window{from: f.From.UTC(), to: f.To.UTC()}
	if f.To.IsZero() {
		w.to = now
	}
	if f.Since > 0 {
		w.from = w.to.Add(-f.Since)
	}
	if !w.from.IsZero() {
		w.from = w.from.Truncate(time.Microsecond)
	}
	w.to = w.to.Truncate(time.Microsecond)
	return w
}

// condition is one part of the filter, in SQL over the view aliased as t, and
// in words for rows that fail it.
type condition struct {
	sql    string
	failed string
}

// conditions are the filter at a moment, as constants, so that the planner can
// leave out partitions. Whatever else shall narrow an export is one more.
type conditions []condition

func (f *Filter) conditions(w window, server *pgconn.PgConn) (conditions, error) {
	var c conditions
	if !w.from.IsZero() {
		c.add("t.timestamp >= "+timeLiteral(w.from), "older than "+formatTime(w.from))
	}
	c.add("t.timestamp < "+timeLiteral(w.to), "not before "+formatTime(w.to))
	if f.MinQuality > 0 {
		bound := formatFloat(f.MinQuality)
		c.add("t.quality_score > "+bound+"::float8", "with a quality score not above "+bound)
	}
	if f.CandidatesOnly {
		c.add("t.is_training_candidate", "no training candidates")
	}
	for _, list := range []struct {
		column string
		values []string
	}{{"link_type", f.LinkTypes}, {"region", f.Regions}, {"environment", f.Environments}, {"oracle_version", f.OracleVersions}} {
		if err := c.addList(list.column, list.values, server); err != nil {
			return nil, err
		}
	}
	if err := c.addList("vm_id", f.VMIDs, server); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *conditions) add(sql, failed string) { *c = append(*c, condition{sql, failed}) }

// addList writes the values into the SQL: COPY takes no parameters.
func (c *conditions) addList(column string, values []string, server *pgconn.PgConn) error {
	if len(values) == 0 {
		return nil
	}
	literals := make([]string, len(values))
	for i, value := range values {
		escaped, err := server.EscapeString(value)
		if err != nil {
			return fmt.Errorf("write the filter on %s: %w", column, err)
		}
		literals[i] = "'" + escaped + "'"
	}
	failed := "of another " + column + " than " + strings.Join(values, ", ")
	if decision.Column(column).Role == decision.RoleIdentity {
		failed = "of another " + column
	}
	c.add("t."+column+" IN ("+strings.Join(literals, ", ")+")", failed)
	return nil
}

func (c conditions) where() string {
	parts := make([]string, len(c))
	for i, one := range c {
		parts[i] = one.sql
	}
	return " WHERE " + strings.Join(parts, " AND ")
}

// from is the rows that pass, in no order.
func (c conditions) from() string { return " FROM " + view + " AS t" + c.where() }

// selection is the SELECT of the rows that pass, oldest first, rows of the same
// moment by their id.
func (c conditions) selection(list string) string {
	return "SELECT " + list + c.from() + " ORDER BY t.timestamp, t.event_id"
}

// failures counts all rows and, for each condition, those that fail it.
func (c conditions) failures() string {
	counts := []string{"count(*)"}
	for _, one := range c {
		counts = append(counts, fmt.Sprintf("count(*) FILTER (WHERE (%s) IS NOT TRUE)", one.sql))
	}
	return "SELECT ARRAY[" + strings.Join(counts, ", ") + "] FROM " + view + " AS t"
}

// expression is what COPY selects for a field.
func expression(f *decision.Field) string {
	name := "t." + pgx.Identifier{f.Column}.Sanitize()
	if f.Kind == decision.KindFlagSet {
		return "array_to_string(" + name + ", ',')"
	}
	return name
}

func timeLiteral(t time.Time) string { return "'" + formatTime(t) + "'::timestamptz" }

func formatFloat(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }

func formatTime(t time.Time) string { return decision.TimeValue(t).String() }
