package partitions

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// WriteText writes the partitions for a person to read.
func (s *Survey) WriteText(w io.Writer) error {
	p := &page{w: w}
	s.writeClock(p)
	if len(s.Partitions) == 0 {
		p.line("There are no partitions.")
	} else {
		table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "name\tfrom\tto (excluded)\trows, about\tsize\tstate")
		for _, each := range s.Partitions {
			fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%.1f MiB\t%s\n", each.Name, bound(each.From), bound(each.To),
				each.EstimatedRows, float64(each.Bytes)/(1<<20), each.State)
		}
		p.keep(table.Flush())
	}
	p.warnings(s.Warnings())
	return p.err
}

func (s *Survey) writeClock(p *page) {
	p.line("It is %s by the database's clock; the retention begins at %s.", s.Now.Format(time.RFC3339), s.Cutoff.Format(time.RFC3339))
}

// WriteText writes the plan for a person to read.
func (p *Plan) WriteText(w io.Writer) error {
	out := &page{w: w}
	p.writeClock(out)
	if len(p.Actions) == 0 {
		out.line("There is nothing to do.")
	}
	for _, a := range p.Actions {
		if a.On == "" {
			out.line("%s: %s", a.Step, a.Why)
		} else {
			out.line("%s %s: %s", a.Step, a.On, a.Why)
		}
	}
	out.warnings(p.Warnings)
	return out.err
}

// WriteText writes what was done for a person to read.
func (r *Report) WriteText(w io.Writer) error {
	p := &page{w: w}
	if r.Busy {
		p.line("Another session maintains the table just now. Nothing was done.")
		return p.err
	}
	for _, name := range r.Created {
		p.line("created %s", name)
	}
	for _, d := range r.Dropped {
		p.line("dropped %s with %d rows", d.Partition, d.Rows)
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
			p.line(done.what, done.rows)
		}
	}
	if len(r.Created)+len(r.Dropped)+len(r.Postponed) == 0 && r.Trimmed+r.Purged+r.Folded == 0 {
		p.line("There was nothing to do.")
	}
	for _, what := range r.Postponed {
		p.line("postponed: %s", what)
	}
	p.warnings(r.Warnings)
	return p.err
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

// page writes lines and keeps the first error.
type page struct {
	w   io.Writer
	err error
}

func (p *page) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

func (p *page) keep(err error) {
	if p.err == nil {
		p.err = err
	}
}

func (p *page) warnings(all []string) {
	for _, warning := range all {
		p.line("warning: %s", warning)
	}
}
