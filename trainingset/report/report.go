package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/trainingset"
	"github.com/novacron/dwcp-telemetry/trainingset/validate"
)

var (
	//go:embed page.html.tmpl
	pageText string
	//go:embed style.css
	style string

	page = template.Must(template.New("page").Funcs(template.FuncMap{
		"count": count, "percent": percent, "number": number, "moment": moment, "width": width, "breakable": breakable, "more": func(lines []string) int { return len(lines) - 10 },
	}).Parse(pageText))
)

// view is what the page shows.
type view struct {
	*validate.Report
	Style template.CSS

	Progress  progress
	Groups    []checkGroup
	Balance   []balanceRow
	Timelines []timeline
	Per       string // day or week
	Coverage  matrix
	Features  []feature
	Drift     []driftTable
	Regret    []regretRow
}

// WriteHTML writes the page.
func WriteHTML(w io.Writer, r *validate.Report) error {
	v := view{Report: r, Style: template.CSS(style)} //nolint:gosec // our own file
	v.Progress = progressOf(&r.Statistics, r.CreatedAt)
	v.Groups = groupChecks(r.Checks)
	v.Balance = balanceRows(r.Statistics.Balance)
	v.Timelines, v.Per = timelines(r.Statistics.Days)
	v.Coverage = coverage(&r.Statistics)
	v.Features = features(r.Statistics.Features)
	v.Drift = driftTables(r.Statistics.Drift)
	v.Regret = regretRows(&r.Statistics)
	if err := page.Execute(w, &v); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

// checkGroup is the checks with the same outcome.
type checkGroup struct {
	Status validate.Status
	Title  string
	Open   bool
	Checks []*validate.Check
}

func groupChecks(checks []validate.Check) (groups []checkGroup) {
	for _, g := range []checkGroup{
		{Status: validate.Failed, Title: "Errors", Open: true}, {Status: validate.Warned, Title: "Warnings", Open: true},
		{Status: validate.Passed, Title: "Passed"}, {Status: validate.Skipped, Title: "Not checked"},
	} {
		for i := range checks {
			if checks[i].Status == g.Status {
				g.Checks = append(g.Checks, &checks[i])
			}
		}
		if len(g.Checks) > 0 {
			groups = append(groups, g)
		}
	}
	return groups
}

func linkTypes() []string { return decision.Column("link_type").Rule.Enum }

type balanceRow struct {
	Name   string
	Labels trainingset.Labels
	Share  float64 // of HDE
	Other  float64 // of AMST
	OneWay bool    // beyond the plan's 30–70 %
}

func balanceRows(b trainingset.Balance) (rows []balanceRow) {
	row := func(name string, l trainingset.Labels) {
		s := l.HDEShare()
		rows = append(rows, balanceRow{name, l, s, 1 - s, l.Total() > 0 && (s < 0.3 || s > 0.7)})
	}
	for _, link := range linkTypes() {
		row(link, b[link])
	}
	row("all", b.Overall())
	return rows
}

// matrix is how many rows each payload type has on each link type.
type matrix struct {
	Links []string
	Rows  []matrixRow
}

type matrixRow struct {
	Payload string
	Cells   []matrixCell
}

type matrixCell struct {
	Labels trainingset.Labels
	Shade  float64 // 0..1, by the square root of the rows
}

func coverage(s *validate.Statistics) matrix {
	m := matrix{Links: linkTypes()}
	most := int64(1)
	for _, payloads := range s.Coverage {
		for _, l := range payloads {
			most = max(most, l.Total())
		}
	}
	for _, payload := range s.PayloadTypes() {
		row := matrixRow{Payload: payload}
		for _, link := range m.Links {
			l := s.Coverage[link][payload]
			row.Cells = append(row.Cells, matrixCell{l, round(math.Sqrt(float64(l.Total()) / float64(most)))})
		}
		m.Rows = append(m.Rows, row)
	}
	return m
}

// breakable lets a column's name go on in the next line after an underscore.
func breakable(name string) template.HTML {
	return template.HTML(strings.ReplaceAll(template.HTMLEscapeString(name), "_", "_<wbr>")) //nolint:gosec // escaped
}

// width is a share as the number of a CSS percentage.
func width(share float64) float64 { return round(100 * share) }

// round keeps coordinates short.
func round(v float64) float64 { return math.Round(v*100) / 100 }

// count writes 12345 as 12,345.
func count(n int64) string {
	digits := strconv.FormatInt(n, 10)
	negative := strings.HasPrefix(digits, "-")
	digits = strings.TrimPrefix(digits, "-")
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	if negative {
		return "−" + digits
	}
	return digits
}

func percent(share float64) string { return strconv.FormatFloat(100*share, 'f', 1, 64) + " %" }

// number writes a measurement with three digits that matter.
func number(v float64) string {
	switch a := math.Abs(v); {
	case a >= 1e6:
		return count(int64(math.Round(v)))
	case a >= 100:
		return count(int64(math.Round(v)))
	case a == 0:
		return "0"
	case a < 0.001:
		return strconv.FormatFloat(v, 'e', 1, 64)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

func moment(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return t.UTC().Format("2 Jan 2006, 15:04 UTC")
}
