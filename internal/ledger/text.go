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
	}
	p.line("")
	p.line("Partitions")
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
		row("removed", t.Removed, "of the written: older than the retention, or forgotten")
		row("in the table", t.InTable(), fmt.Sprintf("%d may be trained on (candidates)", t.Candidates))
		row("last hour", s.LastHour.Written, fmt.Sprintf("written, %d candidates", s.LastHour.Candidates))
		row("last 24 hours", s.LastDay.Written, fmt.Sprintf("written, %d candidates", s.LastDay.Candidates))
		return table.Flush()
	})
	if s.NewestAgeSeconds != nil {
		p.line("  The newest decision was made at %s, %s; the last batch came at %s.",
			t.Newest.Format(time.RFC3339), ago(s.Now.Sub(t.Newest)), t.LastCommit.Format(time.RFC3339))
	}
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
