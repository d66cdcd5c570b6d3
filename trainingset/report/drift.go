package report

import (
	"cmp"
	"slices"

	"github.com/novacron/dwcp-telemetry/trainingset/validate"
)

// driftTable is every feature by week or by region, the worst first.
type driftTable struct {
	By   string
	Of   []string
	Rows []driftRow
	Over int // how many cells lie above their limit
}

type driftRow struct {
	Column string
	Worst  float64
	Cells  []driftCell
}

type driftCell struct {
	PSI   float64
	Limit float64
	There bool
	Over  bool
	Shade float64 // 0..1
}

// shadedBy is the index at which a cell has its full colour.
const shadedBy = 1.0

func driftTables(all []validate.Drift) (tables []driftTable) {
	for _, by := range []string{"week", "region"} {
		t := driftTable{By: by}
		rows := map[string]map[string]validate.Drift{}
		for _, d := range all {
			if d.By != by {
				continue
			}
			if !slices.Contains(t.Of, d.Of) {
				t.Of = append(t.Of, d.Of)
			}
			if rows[d.Column] == nil {
				rows[d.Column] = map[string]validate.Drift{}
			}
			rows[d.Column][d.Of] = d
		}
		if len(rows) == 0 {
			continue
		}
		slices.Sort(t.Of)
		for column, cells := range rows {
			t.Rows = append(t.Rows, rowOf(column, t.Of, cells))
		}
		slices.SortFunc(t.Rows, func(a, b driftRow) int {
			return cmp.Or(cmp.Compare(b.Worst, a.Worst), cmp.Compare(a.Column, b.Column))
		})
		for _, r := range t.Rows {
			for _, c := range r.Cells {
				if c.Over {
					t.Over++
				}
			}
		}
		tables = append(tables, t)
	}
	return tables
}

func rowOf(column string, of []string, cells map[string]validate.Drift) driftRow {
	r := driftRow{Column: column}
	for _, name := range of {
		d, there := cells[name]
		r.Cells = append(r.Cells, driftCell{PSI: d.PSI, Limit: d.Limit, There: there, Over: there && d.PSI > d.Limit,
			Shade: round(min(1, d.PSI/shadedBy))})
		r.Worst = max(r.Worst, d.PSI)
	}
	return r
}
