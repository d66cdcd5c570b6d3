package report

import (
	"time"

	"github.com/novacron/dwcp-telemetry/trainingset"
	"github.com/novacron/dwcp-telemetry/trainingset/validate"
)

// timeline is one link type's labels over time.
type timeline struct {
	Link       string
	Bars       []bar
	From, To   string
	Width      float64
	Rows       []timelineRow
	Total      int64
	ClassShare float64
}

// The chart's size, in its own units.
const (
	chartWidth  = 320.0
	chartHeight = 100.0
)

type bar struct {
	X, Width, HDE float64 // HDE from the bottom; AMST is the rest
	AMST          float64
	Faint         bool // of so few rows that the share means little
	Title         string
}

type timelineRow struct {
	When   string
	Labels trainingset.Labels
}

// maxDays is up to how many days each one has a bar; then it is weeks.
const (
	maxDays   = 42
	faintRows = 10
)

// timelines fills days without decisions in, so that a silence is seen.
func timelines(days []validate.Day) (all []timeline, per string) {
	if len(days) == 0 {
		return nil, "day"
	}
	buckets, per := bucketed(days)
	for _, link := range linkTypes() {
		t := timeline{Link: link, From: buckets[0].Date, To: buckets[len(buckets)-1].Date}
		step := chartWidth / float64(len(buckets))
		for i := range buckets {
			l := buckets[i].Links[link]
			if l.Total() == 0 {
				continue
			}
			t.Total += l.Total()
			hde := round(chartHeight * l.HDEShare())
			t.Bars = append(t.Bars, bar{X: round(step * float64(i)), Width: round(max(step*0.86, 1)), HDE: hde, AMST: round(chartHeight - hde),
				Faint: l.Total() < faintRows, Title: buckets[i].Date + ": HDE " + percent(l.HDEShare()) + " of " + count(l.Total())})
			t.Rows = append(t.Rows, timelineRow{buckets[i].Date, l})
		}
		all = append(all, t)
	}
	return all, per
}

// bucketed has an entry for every day, or every week from Monday on.
func bucketed(days []validate.Day) (buckets []validate.Day, per string) {
	first, _ := time.Parse(time.DateOnly, days[0].Date)
	last, _ := time.Parse(time.DateOnly, days[len(days)-1].Date)
	step := 1
	if last.Sub(first) > maxDays*24*time.Hour {
		step = 7
		first = first.AddDate(0, 0, -(int(first.Weekday())+6)%7)
	}
	next := 0
	for at := first; !at.After(last) && len(buckets) < 1000; at = at.AddDate(0, 0, step) {
		b := validate.Day{Date: at.Format(time.DateOnly), Links: trainingset.Balance{}}
		end := at.AddDate(0, 0, step).Format(time.DateOnly)
		for ; next < len(days) && days[next].Date < end; next++ {
			for link, l := range days[next].Links {
				b.Links.Add(link, string("HDE"), l.HDE)
				b.Links.Add(link, "AMST", l.AMST)
			}
		}
		buckets = append(buckets, b)
	}
	if step == 7 {
		return buckets, "week"
	}
	return buckets, "day"
}
