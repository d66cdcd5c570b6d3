package trainingset

import (
	"fmt"
	"io"
	"maps"
	"text/tabwriter"

	"github.com/novacron/dwcp-telemetry/decision"
)

// Labels counts rows by label.
type Labels struct {
	HDE  int64 `json:"HDE"`
	AMST int64 `json:"AMST"`
}

// Total is the number of rows.
func (l Labels) Total() int64 { return l.HDE + l.AMST }

// HDEShare is the share of rows labelled HDE, 0..1; 0 where there are none.
func (l Labels) HDEShare() float64 { return share(l.HDE, l.Total()) }

func (l Labels) plus(algorithm string, rows int64) Labels {
	if decision.Algorithm(algorithm) == decision.HDE {
		l.HDE += rows
	} else {
		l.AMST += rows
	}
	return l
}

// Balance counts rows by link type and label.
type Balance map[string]Labels

// Add counts rows of one link type and label.
func (b Balance) Add(linkType, algorithm string, rows int64) {
	b[linkType] = b[linkType].plus(algorithm, rows)
}

// Overall is the balance over all link types.
func (b Balance) Overall() (all Labels) {
	for _, l := range b {
		all.HDE += l.HDE
		all.AMST += l.AMST
	}
	return all
}

// Minus is what b has and earlier had not, link type by link type; those that
// did not change are left out. Counts that went down are negative.
func (b Balance) Minus(earlier Balance) Balance {
	changed := Balance{}
	for link, l := range b {
		changed[link] = l
	}
	for link, l := range earlier {
		changed[link] = Labels{changed[link].HDE - l.HDE, changed[link].AMST - l.AMST}
	}
	maps.DeleteFunc(changed, func(_ string, l Labels) bool { return l == Labels{} })
	return changed
}

// linkTypes are all there are, in the order of the field list, with rows or not.
func linkTypes() []string { return decision.Column(linkTypeColumn).Rule.Enum }

// WriteText writes a line per link type and one for all of them.
func (b Balance) WriteText(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "  link type\trows\tHDE\tAMST\t")
	line := func(name string, l Labels) {
		hde, amst := "-", "-"
		if l.Total() > 0 {
			hde, amst = percent(l.HDEShare()), percent(1-l.HDEShare())
		}
		fmt.Fprintf(table, "  %s\t%d\t%s\t%s\t\n", name, l.Total(), hde, amst)
	}
	for _, name := range linkTypes() {
		line(name, b[name])
	}
	line("all", b.Overall())
	return table.Flush()
}

func share(part, whole int64) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

func percent(share float64) string { return fmt.Sprintf("%.1f %%", 100*share) }
