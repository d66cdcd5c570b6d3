package ledger

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// WriteText writes the status for a person to read.
func (s Status) WriteText(w io.Writer) error {
	p := &page{w: w}
	p.line("Status at %s (the database's clock)", s.Now.Format(time.RFC3339))
	p.line("")
	if s.Totals.Batches == 0 {
		p.line("Nothing has been loaded yet. `dwcp-telemetry demo` shows how it goes; otherwise look whether the")
		p.line("collector runs and which database it was given.")
	} else {
		s.writeTotals(p)
		p.line("")
		p.line("Labels of the decisions in the table")
		p.section(s.Totals.Labels.WriteText)
		p.line("")
		p.line("Candidates, at the pace of the last day")
		p.section(s.Progress.writeText)
		p.section(s.Completeness.writeText)
	}
	p.line("")
	p.line("Partitions; the retention begins at %s", date(s.Cutoff))
	p.section(s.writePartitions)
	if len(s.Warnings) > 0 {
		p.line("")
	}
	for _, warning := range s.Warnings {
		p.line("warning: %s", warning)
	}
	return p.err
}

func (s *Status) writeTotals(p *page) {
	t := s.Totals
	p.line("Decisions, in %d batches", t.Batches)
	p.section(func(w io.Writer) error {
		table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
		row := func(name string, n int64, note string) { fmt.Fprintf(table, "  %s\t%d\t  %s\n", name, n, note) }
		row("received", t.Received, "every decision that reached the exporter")
		row("written", t.Written, "each once")
		row("duplicate", t.Duplicate, fmt.Sprintf("sent again and already there; %d with other content", t.Conflict))
		row("rejected", t.Rejected, reasons(t.RejectedByReason))
		row("removed", t.Removed, removed(s.Removals))
		row("in the table", t.InTable(), fmt.Sprintf("%d may be trained on (candidates)", t.Candidates))
		row("last hour", s.LastHour.Written, lately(s.LastHour))
		row("last 24 hours", s.LastDay.Written, lately(s.LastDay))
		return table.Flush()
	})
	if s.NewestAgeSeconds != nil {
		p.line("  The newest decision was made at %s, %s; the last batch came at %s.",
			t.Newest.Format(time.RFC3339), ago(s.Now.Sub(t.Newest)), t.LastCommit.Format(time.RFC3339))
	}
}

func lately(r Recent) string {
	return fmt.Sprintf("written, %d candidates; %d rejected", r.Candidates, r.Rejected)
}

func removed(by map[string]Removal) string {
	if len(by) == 0 {
		return "of the written: older than the retention, or forgotten"
	}
	var parts []string
	for _, kind := range slices.Sorted(maps.Keys(by)) {
		parts = append(parts, fmt.Sprintf("%s %d (last at %s)", kind, by[kind].Rows, by[kind].Last.Format(time.RFC3339)))
	}
	return strings.Join(parts, ", ")
}

func (p *Progress) writeText(w io.Writer) error {
	fmt.Fprintf(w, "  %.0f decisions a day, %.0f candidates: %.1f %% of them\n", p.RowsPerDay, p.CandidatesPerDay, 100*p.CandidateShare)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, m := range p.Milestones {
		fmt.Fprintf(table, "  %d\t%s\t%s\n", m.Candidates, m.when(), m.needs(p.WithinDays))
	}
	return table.Flush()
}

func (m *Milestone) when() string {
	switch {
	case m.Reached:
		return "reached"
	case m.Never != "":
		return "never: " + m.Never
	}
	return "on " + m.ETA.Format("2006-01-02 15:04")
}

// needs says what share of the decisions must have a shadow run.
func (m *Milestone) needs(withinDays float64) string {
	switch {
	case m.ShareNeeded == nil:
		return ""
	case *m.ShareNeeded > 1:
		return fmt.Sprintf("within %g days: not with so few decisions, were they all shadowed", withinDays)
	}
	return fmt.Sprintf("within %g days: a shadow share of %.1f %% or more", withinDays, 100**m.ShareNeeded)
}

func (c *Completeness) writeText(w io.Writer) error {
	if c.Recorders == 0 {
		return nil
	}
	fmt.Fprintf(w, "\nCompleteness: %.2f %%, %d of %d decisions numbered in the last 7 days, Recorders: %d\n", 100*c.Share(), c.Received, c.Expected, c.Recorders)
	for _, r := range c.Worst {
		fmt.Fprintf(w, "  %s  %.2f %%, %d missing, last seen %s\n", r.ID, 100*r.Share(), r.Missing(), r.Seen.Format(time.RFC3339))
	}
	return nil
}

func (s *Status) writePartitions(w io.Writer) error {
	if len(s.Partitions) == 0 {
		_, err := fmt.Fprintln(w, "  none")
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "  name\tfrom\tto (excluded)\trows, about\tsize")
	for _, p := range s.Partitions {
		fmt.Fprintf(table, "  %s\t%s\t%s\t%d\t%.1f MiB\n", p.Name, date(p.From), date(p.To), p.EstimatedRows, float64(p.Bytes)/(1<<20))
	}
	return table.Flush()
}

func reasons(byReason map[string]int64) string {
	if len(byReason) == 0 {
		return "kept apart with the reason"
	}
	var parts []string
	for _, reason := range slices.Sorted(maps.Keys(byReason)) {
		parts = append(parts, fmt.Sprintf("%s %d", reason, byReason[reason]))
	}
	return strings.Join(parts, ", ")
}

func date(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Format(time.DateOnly)
}

func ago(d time.Duration) string {
	if d < 0 {
		return d.Abs().Round(time.Second).String() + " ahead of the database's clock"
	}
	return d.Round(time.Second).String() + " ago"
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

// section lets another writer write in its place.
func (p *page) section(write func(io.Writer) error) {
	if p.err == nil {
		p.err = write(p.w)
	}
}
