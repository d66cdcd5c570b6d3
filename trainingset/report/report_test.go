package report

import (
	"bytes"
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/trainingset"
	"github.com/novacron/dwcp-telemetry/trainingset/trainingsettest"
	"github.com/novacron/dwcp-telemetry/trainingset/validate"
)

var moment0 = time.Date(2026, 11, 23, 18, 0, 0, 0, time.UTC)

// measured is the report on the sample, its decisions spread over three weeks.
func measured(t testing.TB, columns trainingset.ColumnSet) *validate.Report {
	t.Helper()
	all := trainingsettest.Decisions(len(trainingsettest.Measured()), moment0)
	step := 21 * 24 * time.Hour / time.Duration(len(all))
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	var fields []*decision.Field
	var header []string
	for _, c := range columns.Columns(trainingset.Further{Identity: columns == trainingset.All}) {
		if c.Field != nil {
			fields, header = append(fields, c.Field), append(header, c.Name)
		}
	}
	require.NoError(t, w.Write(header))
	for i := range all {
		all[i].Timestamp = moment0.Add(-step * time.Duration(len(all)-i)).Truncate(time.Microsecond)
		row := make([]string, len(fields))
		for c, f := range fields {
			if value, ok := f.Value(&all[i]); ok {
				row[c] = value.String()
			}
		}
		require.NoError(t, w.Write(row))
	}
	w.Flush()
	path := filepath.Join(t.TempDir(), "measured.csv")
	require.NoError(t, os.WriteFile(path, b.Bytes(), 0o600))
	r, err := validate.Path(t.Context(), path, validate.Options{Now: moment0})
	require.NoError(t, err)
	r.Source = "data/dwcp_training.csv"
	return r
}

var sectionIDs = []string{"progress", "checks", "balance", "coverage", "distributions", "outliers", "drift", "regret"}

// pageOf is the page, read as a browser would.
func pageOf(t *testing.T, r *validate.Report) (*html.Node, string) {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, WriteHTML(&b, r))
	text := b.String()
	root, err := html.Parse(&b)
	require.NoError(t, err)
	return root, text
}

// all finds elements by name.
func all(n *html.Node, name string) (found []*html.Node) {
	for e := range n.Descendants() {
		if e.Type == html.ElementNode && e.Data == name {
			found = append(found, e)
		}
	}
	return found
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// words are the texts in an element.
func words(n *html.Node) string {
	var b strings.Builder
	for e := range n.Descendants() {
		if e.Type == html.TextNode {
			b.WriteString(strings.TrimSpace(e.Data))
			if e.NextSibling == nil || e.NextSibling.Data != "wbr" {
				b.WriteString(" ")
			}
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func byID(t *testing.T, n *html.Node, id string) *html.Node {
	t.Helper()
	for e := range n.Descendants() {
		if attribute(e, "id") == id {
			return e
		}
	}
	require.Fail(t, "no element", id)
	return nil
}

func TestThePageHasEverySectionAndItsNumbers(t *testing.T) {
	t.Parallel()
	r := measured(t, trainingset.All)
	root, _ := pageOf(t, r)
	var ids []string
	for _, s := range all(root, "section") {
		ids = append(ids, attribute(s, "id"))
	}
	require.Equal(t, sectionIDs, ids)
	require.Equal(t, "6,610", words(byID(t, root, "rows")))
	require.Contains(t, words(byID(t, root, "candidates")), count(r.Statistics.Candidates))
	require.Contains(t, words(root), r.Verdict())
	s := &r.Statistics
	for _, link := range linkTypes() {
		l := s.Balance[link]
		require.Contains(t, words(byID(t, root, "balance")), link+" "+count(l.Total())+" "+percent(l.HDEShare())+" "+percent(1-l.HDEShare()))
		g := s.Regret[link]
		require.Contains(t, words(byID(t, root, "regret")), link+" "+count(g.Decisions)+" "+percent(float64(g.Agreed)/float64(g.Decisions)))
	}
	require.Contains(t, words(byID(t, root, "progress")), "10,000 66.0 %")
	require.Contains(t, words(byID(t, root, "coverage")), "zeros "+count(s.Coverage["dc"]["zeros"].Total()))
	for _, f := range s.Features {
		require.Contains(t, words(byID(t, root, "outliers")), f.Column+" "+number(f.Min)+" "+number(f.Q1)+" "+number(f.Median))
		require.Contains(t, words(byID(t, root, "distributions")), f.Column)
	}
	for _, c := range r.Checks {
		require.Contains(t, words(byID(t, root, "checks")), c.Name+" "+c.Verdict())
	}
}

func TestBehindEveryChartIsATableAndATextAlternative(t *testing.T) {
	t.Parallel()
	root, _ := pageOf(t, measured(t, trainingset.All))
	figures := all(root, "figure")
	require.Greater(t, len(figures), 15)
	for _, f := range figures {
		charts := all(f, "svg")
		require.Len(t, charts, 1)
		require.Equal(t, "img", attribute(charts[0], "role"))
		require.NotEmpty(t, attribute(charts[0], "aria-label"))
		require.NotEmpty(t, all(all(f, "table")[0], "td"))
	}
	require.Len(t, all(root, "svg"), len(figures))
}

func TestThePageNeedsNothingElse(t *testing.T) {
	t.Parallel()
	root, text := pageOf(t, measured(t, trainingset.All))
	require.Empty(t, all(root, "script"))
	require.Empty(t, all(root, "img"))
	require.NotContains(t, text, "url(")
	require.NotContains(t, text, "@import")
	for e := range root.Descendants() {
		require.Empty(t, attribute(e, "src"))
		if target := attribute(e, "href"); target != "" {
			require.True(t, strings.HasPrefix(target, "#") || target == "data:,", target)
		}
	}
	for _, link := range all(root, "a") {
		byID(t, root, strings.TrimPrefix(attribute(link, "href"), "#"))
	}
}

func TestThePageHoldsNoIDAndNoMarkupOfOthers(t *testing.T) {
	t.Parallel()
	r := measured(t, trainingset.All)
	r.Source = "<script>alert(1)</script>"
	r.Statistics.Coverage["dc"]["<b onclick=x>"] = trainingset.Labels{HDE: 1}
	root, text := pageOf(t, r)
	require.Empty(t, all(root, "script"))
	require.Empty(t, all(root, "b")[3:], "those of the milestones")
	for _, d := range trainingsettest.Measured()[:100] {
		require.NotContains(t, text, d.VMID)
		require.NotContains(t, text, d.RequestID)
	}
}

func TestWhatIsNotKnownIsSaidSo(t *testing.T) {
	t.Parallel()
	root, _ := pageOf(t, measured(t, trainingset.Plan))
	require.Contains(t, words(byID(t, root, "regret")), "do not say which way was used")

	path := filepath.Join(t.TempDir(), "empty.csv")
	require.NoError(t, os.WriteFile(path, []byte(strings.Join(trainingset.Columns(), ",")+"\n"), 0o600))
	r, err := validate.Path(t.Context(), path, validate.Options{Now: moment0})
	require.NoError(t, err)
	root, text := pageOf(t, r)
	require.Contains(t, words(root), "FAILED: 1 error, 0 warnings.")
	require.NotContains(t, text, "NaN")
}

func TestALongHistoryIsShownByWeek(t *testing.T) {
	t.Parallel()
	days := []validate.Day{
		{Date: "2026-09-02", Links: trainingset.Balance{"dc": {HDE: 1}}}, // a Wednesday
		{Date: "2026-09-06", Links: trainingset.Balance{"dc": {AMST: 2}}},
		{Date: "2026-09-07", Links: trainingset.Balance{"dc": {AMST: 4}}},
		{Date: "2026-11-20", Links: trainingset.Balance{"dc": {HDE: 8}}},
	}
	all, per := timelines(days)
	require.Equal(t, "week", per)
	require.Equal(t, []timelineRow{{"2026-08-31", trainingset.Labels{HDE: 1, AMST: 2}}, {"2026-09-07", trainingset.Labels{AMST: 4}}, {"2026-11-16", trainingset.Labels{HDE: 8}}}, all[0].Rows)
	all, per = timelines(days[:3])
	require.Equal(t, "day", per)
	require.Len(t, all[0].Bars, 3)
	require.Greater(t, all[0].Bars[1].X, 3*all[0].Bars[0].Width, "days without decisions keep their place")
}

func TestTheRateIsThatOfTheLastWeek(t *testing.T) {
	t.Parallel()
	s := &validate.Statistics{Oldest: moment0.AddDate(0, 0, -30), Newest: moment0, Candidates: 9_000}
	for day := 30; day >= 0; day-- {
		n := int64(1000)
		if day > 6 {
			n = 1
		}
		s.Days = append(s.Days, validate.Day{Date: moment0.AddDate(0, 0, -day).Format(time.DateOnly), Candidates: n})
	}
	p := progressOf(s, moment0)
	require.InDelta(t, 7000/6.75, p.PerDay, 1)
	require.Equal(t, "24 Nov 2026", p.Goals[0].Reach)
	require.Equal(t, 0.9, p.Goals[0].Share)
	s.Candidates = 10_000
	require.Empty(t, progressOf(s, moment0).Goals[0].Reach, "it is reached")
}

func TestNumbersAreShort(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"0", "1,234,567", "−1,000", "12"}, []string{count(0), count(1234567), count(-1000), count(12)})
	require.Equal(t, []string{"0", "3.14", "1,235", "1.2e-05", "-0.5"}, []string{number(0), number(3.14159), number(1234.6), number(0.0000123), number(-0.5)})
}
