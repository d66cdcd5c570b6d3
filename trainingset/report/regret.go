package report

import (
	"github.com/novacron/dwcp-telemetry/trainingset/validate"
)

// regretRow is a link type's regret, per decision.
type regretRow struct {
	Link      string
	Decisions int64
	Agreed    float64 // share that used the label's way
	Faster    float64 // share that used the faster way
	ToFaster  float64 // ms
	ToLabel   float64 // ms, below 0 where the label is the slower way
	Excess    float64 // share of the time spent
	Utility   float64 // share of the label's utility
	Bar       float64 // 0..100, of the longest
}

func regretRows(s *validate.Statistics) (rows []regretRow) {
	if len(s.Regret) == 0 {
		return nil
	}
	longest := 0.0
	add := func(name string, r validate.Regret) {
		n := float64(r.Decisions)
		if n == 0 {
			return
		}
		row := regretRow{Link: name, Decisions: r.Decisions, Agreed: float64(r.Agreed) / n, Faster: float64(r.Faster) / n,
			ToFaster: r.MillisToFaster / n, ToLabel: r.MillisToLabel / n, Utility: r.UtilityShare / n}
		if r.Millis > 0 {
			row.Excess = r.MillisToFaster / r.Millis
		}
		longest = max(longest, row.ToFaster)
		rows = append(rows, row)
	}
	for _, link := range linkTypes() {
		add(link, s.Regret[link])
	}
	add("all", s.TotalRegret())
	for i := range rows {
		if longest > 0 {
			rows[i].Bar = round(100 * rows[i].ToFaster / longest)
		}
	}
	return rows
}
