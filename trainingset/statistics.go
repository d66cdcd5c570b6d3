package trainingset

import (
	"math"
	"strconv"
)

const (
	maxMissing    = 0.05 // share of a column's cells that may be empty
	minLinkShare  = 0.05 // of all rows that each link type should have
	minClassShare = 0.30 // of the rarer label; the other one then has 0.70
)

func (v *validator) recordsCheck() *Check {
	c := &Check{Name: "records", Severity: Error, OK: strconv.FormatInt(v.records, 10) + " records", Problem: "the file holds no record"}
	if v.records == 0 {
		c.Count = 1
	}
	return c
}

func (v *validator) missingCheck() *Check {
	c := &Check{Name: "missing", Severity: Warning, OK: "no cell is empty", Problem: "empty cells"}
	for i, n := range v.missing {
		if n == 0 {
			continue
		}
		note := ""
		if share(n, v.records) > maxMissing {
			note = ", more than " + percent(maxMissing)
		}
		c.detail(n, "%s: %d empty (%s%s)", v.columns[i].Column, n, percent(share(n, v.records)), note)
	}
	return c
}

func (v *validator) outlierCheck() *Check {
	c := &Check{Name: "outliers", Severity: Warning, OK: "no value lies more than 1.5 interquartile ranges beyond the quartiles",
		Problem: "values more than 1.5 interquartile ranges beyond the quartiles"}
	for _, s := range v.series {
		if s == nil || len(s.values) == 0 {
			continue
		}
		low, high := s.fences()
		positions := s.outliers(low, high)
		if len(positions) == 0 {
			continue
		}
		first := positions[0]
		c.detail(int64(len(positions)), "%s: %d outside %s..%s, the first on line %d: %s",
			s.column, len(positions), decimal(low), decimal(high), s.lines[first], decimal(s.values[first]))
	}
	return c
}

// decimal writes a number without an exponent and with no more digits than one
// wants to read.
func decimal(v float64) string {
	if math.Abs(v) >= 1000 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}

// balanceCheck looks at each link type too: over all rows the labels can be
// balanced while every link type is one-sided.
func (v *validator) balanceCheck() *Check {
	c := &Check{Name: "balance", Severity: Warning, OK: "both labels have 30–70 % of the rows, overall and per link type",
		Problem: "groups in which a label has less than 30 % of the rows"}
	check := func(group string, l Labels) {
		if rarer := min(l.HDE, l.AMST); l.Total() > 0 && share(rarer, l.Total()) < minClassShare {
			c.detail(1, "%s: HDE %s, AMST %s of %d rows", group, percent(l.HDEShare()), percent(1-l.HDEShare()), l.Total())
		}
	}
	check("all", v.balance.Overall())
	for _, link := range linkTypes() {
		check(link, v.balance[link])
	}
	return c
}

func (v *validator) coverageCheck() *Check {
	c := &Check{Name: "coverage", Severity: Warning, OK: "every link type has at least 5 % of the rows",
		Problem: "link types with less than 5 % of the rows"}
	all := v.balance.Overall().Total()
	for _, link := range linkTypes() {
		if n := v.balance[link].Total(); share(n, all) < minLinkShare {
			c.detail(1, "%s: %d of %d rows (%s)", link, n, all, percent(share(n, all)))
		}
	}
	return c
}
