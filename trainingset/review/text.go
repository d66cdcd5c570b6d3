package review

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/novacron/dwcp-telemetry/decision"
)

// WriteText writes the agreement for a person to read.
func (a *Agreement) WriteText(w io.Writer) error {
	var out strings.Builder
	verdict := "more than"
	if !a.Passed() {
		verdict = "NOT more than"
	}
	fmt.Fprintf(&out, "Human and oracle agree on %s, %s the %.4g %% that are asked for.\n\n", a.Overall.share(), verdict, 100*a.Threshold)
	table := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "  link type\tjudged\tagreed\tshare (95 % interval)\tunsure\topen")
	line := func(name string, c *Counts) {
		fmt.Fprintf(table, "  %s\t%d\t%d\t%s\t%d\t%d\n", name, c.Judged, c.Agreed, c.share(), c.Unsure, c.Open)
	}
	for _, name := range decision.Column("link_type").Rule.Enum {
		if c := a.ByLinkType[name]; c != nil {
			line(name, c)
		}
	}
	line("all", &a.Overall)
	_ = table.Flush() // into memory
	for _, d := range a.Disputed {
		fmt.Fprintf(&out, "row %d (%s, %s, event %s): %s by %s, %s by the judge", d.Row, d.LinkType, d.PayloadType, d.EventID, d.Label, d.Oracle, d.Judgement)
		if d.Comment != "" {
			fmt.Fprintf(&out, ": %s", d.Comment)
		}
		fmt.Fprintln(&out)
	}
	if a.Passed() && a.Overall.Low <= a.Threshold {
		fmt.Fprintf(&out, "warning: the interval reaches down to %.1f %%: with so few rows chance may have helped\n", 100*a.Overall.Low)
	}
	if a.Overall.Open > 0 {
		fmt.Fprintf(&out, "warning: %d rows are not judged yet\n", a.Overall.Open)
	}
	_, err := io.WriteString(w, out.String())
	return err
}

func (c *Counts) share() string {
	if c.Judged == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f %% (%.1f..%.1f)", 100*c.Share, 100*c.Low, 100*c.High)
}
