package rejected

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/novacron/dwcp-telemetry/internal/decisionlog"
)

// shownDigits of an id are enough to tell some millions apart.
const shownDigits = 12

// WriteText writes a list for a person to read.
func (l List) WriteText(w io.Writer) error {
	var replayable int64
	for _, c := range l.Counts {
		replayable += c.Replayable
	}
	fmt.Fprintf(w, "%d rejected decisions, %d of which can be replayed\n", l.Total, replayable)
	if l.Total == 0 {
		return nil
	}
	fmt.Fprintln(w)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "  rows\treplayable\treason\tfield")
	for _, c := range l.Counts {
		fmt.Fprintf(table, "  %d\t%d\t%s\t%s\n", c.Rows, c.Replayable, c.Reason, orDash(c.Field))
	}
	if len(l.Rows) > 0 {
		fmt.Fprintln(table, "\t\t\t")
		fmt.Fprintln(table, "  id\treceived\treason\tdetail")
	}
	for _, r := range l.Rows {
		fmt.Fprintf(table, "  %s\t%s\t%s\t%s%s\n", r.ID[:shownDigits], moment(r.ReceivedAt), r.Reason, cut(printable(r.Detail), 120), r.fate())
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if more := l.Total - int64(len(l.Rows)); more > 0 {
		fmt.Fprintf(w, "  … and %d more\n", more)
	}
	return nil
}

// fate is what became of a row since it was rejected.
func (r *Row) fate() string {
	switch {
	case !r.WrittenAt.IsZero():
		return " (in the table since)"
	case !r.RejectedAgainAt.IsZero():
		return " (replayed, rejected again)"
	case !r.ReplayedAt.IsZero():
		return " (replayed)"
	}
	return ""
}

// Shown is a row with its original.
type Shown struct {
	Row
	Original decisionlog.Description `json:"original"`
}

// Show tells a row's original.
func Show(row Row, original []byte) Shown { return Shown{row, decisionlog.Describe(original)} }

// WriteText writes all there is to know about a row. Values are cut, unless
// they are to be shown in full.
func (s Shown) WriteText(w io.Writer, full bool) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(table, "%s\t%s\n", name, value)
		}
	}
	line("id", s.ID)
	line("reason", s.Reason)
	line("rule", printable(s.Detail))
	line("SQLSTATE", s.SQLState)
	line("event id", s.EventID)
	line("decided", moment(s.EventTime))
	line("received", moment(s.ReceivedAt))
	line("replayed", moment(s.ReplayedAt))
	line("rejected again", moment(s.RejectedAgainAt))
	line("in the table", moment(s.WrittenAt))
	line("original", s.original())
	line("trace", strings.TrimSpace(s.Original.TraceID+" "+s.Original.SpanID))
	if len(s.Original.Attributes) > 0 {
		fmt.Fprintln(table, "\nattribute\ttype\tvalue\trule it breaks")
	}
	for _, a := range s.Original.Attributes {
		value := printable(a.Value)
		if !full {
			value = cut(value, 60)
		}
		if a.Cut {
			value += " (cut)"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", printable(a.Key), a.Type, value, printable(a.Problem))
	}
	if len(s.Original.Problems) > 0 {
		fmt.Fprintln(table, "\nrules it breaks")
	}
	for _, problem := range s.Original.Problems {
		fmt.Fprintf(table, "  %s\n", printable(problem))
	}
	return table.Flush()
}

func (s *Shown) original() string {
	switch why := s.Obstacle(); {
	case s.OriginalBytes == 0:
		return "not kept: " + why
	case s.Truncated:
		return fmt.Sprintf("the first %d bytes: it was cut there, so it cannot be replayed", s.OriginalBytes)
	case why != "":
		return fmt.Sprintf("%d bytes, %s", s.OriginalBytes, why)
	default:
		return fmt.Sprintf("%d bytes, all of it", s.OriginalBytes)
	}
}

// WriteText writes what became of a replay.
func (r Replayed) WriteText(w io.Writer, dryRun bool) error {
	var impossible int64
	for _, n := range r.Impossible {
		impossible += n
	}
	fmt.Fprintf(w, "found %d open", r.Found)
	if impossible > 0 {
		fmt.Fprintf(w, ", %d of which cannot be replayed: %s", impossible, counts(r.Impossible))
	}
	if dryRun {
		_, err := fmt.Fprintf(w, "\nwould send %d\n", r.Sent)
		return err
	}
	if r.AlreadyWritten > 0 {
		fmt.Fprintf(w, "\n%d were in the table already, under the same id", r.AlreadyWritten)
	}
	fmt.Fprintf(w, "\nsent %d: written %d", r.Sent, r.Written)
	if len(r.RejectedAgain) > 0 {
		fmt.Fprintf(w, ", rejected again %s", counts(r.RejectedAgain))
	}
	if r.Unknown > 0 {
		fmt.Fprintf(w, ", not known yet %d: in the collector's queue, or does it write to another database?", r.Unknown)
	}
	_, err := fmt.Fprintln(w)
	return err
}

func counts(of map[string]int64) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(of)) {
		parts = append(parts, fmt.Sprintf("%s %d", name, of[name]))
	}
	return strings.Join(parts, ", ")
}

func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format("2006-01-02T15:04:05Z")
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

func cut(text string, characters int) string {
	if runes := []rune(text); len(runes) > characters {
		return string(runes[:characters]) + "…"
	}
	return text
}

// printable keeps what a sender wrote from doing anything to a terminal.
func printable(text string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsPrint(c) {
			return c
		}
		return unicode.ReplacementChar
	}, text)
}
