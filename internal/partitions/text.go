package partitions

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// WriteText writes the partitions for a person to read.
func (s *Survey) WriteText(w io.Writer) error {
	var out strings.Builder
	s.writeClock(&out)
	if len(s.Partitions) == 0 {
		fmt.Fprintln(&out, "There are no partitions.")
	} else {
		table := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "name\tfrom\tto (excluded)\trows, about\tsize\tstate")
		for _, each := range s.Partitions {
			fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%.1f MiB\t%s\n", each.Name, bound(each.From), bound(each.To),
				each.EstimatedRows, float64(each.Bytes)/(1<<20), each.State)
		}
		_ = table.Flush() // into memory
	}
	addWarnings(&out, s.Warnings())
	return write(w, &out)
}

func (s *Survey) writeClock(p *strings.Builder) {
	fmt.Fprintf(p, "It is %s by the database's clock; the retention begins at %s.\n", s.Now.Format(time.RFC3339), s.Cutoff.Format(time.RFC3339))
}

// WriteText writes the plan for a person to read.
func (p *Plan) WriteText(w io.Writer) error {
	var out strings.Builder
	p.writeClock(&out)
	if len(p.Actions) == 0 {
		fmt.Fprintln(&out, "There is nothing to do.")
	}
	for _, a := range p.Actions {
		if a.On == "" {
			fmt.Fprintf(&out, "%s: %s\n", a.Step, a.Why)
		} else {
			fmt.Fprintf(&out, "%s %s: %s\n", a.Step, a.On, a.Why)
		}
	}
	addWarnings(&out, p.Warnings)
	return write(w, &out)
}

// WriteText writes what was done for a person to read.
func (r *Report) WriteText(w io.Writer) error {
	var out strings.Builder
	if r.Busy {
		fmt.Fprintln(&out, "Another session maintains the table just now. Nothing was done.")
		return write(w, &out)
	}
	for _, name := range r.Created {
		fmt.Fprintf(&out, "created %s\n", name)
	}
	for _, d := range r.Dropped {
		fmt.Fprintf(&out, "dropped %s with %d rows\n", d.Partition, d.Rows)
	}
	for _, done := range []struct {
		rows int64
		what string
	}{
		{r.Trimmed, "deleted %d rows older than the retention from partitions that stay"},
		{r.Purged, "deleted %d rejected rows"},
		{r.Folded, "folded %d rows of the ledger into others"},
	} {
		if done.rows > 0 {
			fmt.Fprintf(&out, done.what+"\n", done.rows)
		}
	}
	if len(r.Created)+len(r.Dropped)+len(r.Postponed) == 0 && r.Trimmed+r.Purged+r.Folded == 0 {
		fmt.Fprintln(&out, "There was nothing to do.")
	}
	for _, what := range r.Postponed {
		fmt.Fprintf(&out, "postponed: %s\n", what)
	}
	addWarnings(&out, r.Warnings)
	return write(w, &out)
}

// bound is to the second where it is not at midnight.
func bound(t time.Time) string {
	switch {
	case t.IsZero():
		return "-"
	case t.Truncate(24 * time.Hour).Equal(t):
		return t.Format(time.DateOnly)
	}
	return t.Format(time.RFC3339)
}

// addWarnings ends a text.
func addWarnings(out *strings.Builder, all []string) {
	for _, warning := range all {
		fmt.Fprintf(out, "warning: %s\n", warning)
	}
}

// write hands the finished text over.
func write(w io.Writer, out *strings.Builder) error {
	_, err := io.WriteString(w, out.String())
	return err
}
