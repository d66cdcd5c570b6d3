package trainingset

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// labelled gives every row a link type and a label that its measurements give.
func labelled(c *table, rows int, link, label string, from int) {
	for row := from; row < from+rows; row++ {
		c.set(row, "link_type", link)
		rate := "41"
		if label == "HDE" {
			rate = "39"
		}
		workedOut(c, row, rate, label)
	}
}

func TestBalanceIsCheckedPerLinkTypeToo(t *testing.T) {
	t.Parallel()
	c := validTable(40) // overall 20 : 20, yet two link types know one label only
	labelled(c, 10, "dc", "AMST", 0)
	labelled(c, 10, "edge", "HDE", 10)
	labelled(c, 5, "wan", "HDE", 20)
	labelled(c, 5, "wan", "AMST", 25)
	labelled(c, 5, "metro", "HDE", 30)
	labelled(c, 5, "metro", "AMST", 35)
	report := c.validate(t)
	require.True(t, report.Passed(), "imbalance is a warning")
	balance := report.Check("balance")
	require.Equal(t, []string{"dc: HDE 0.0 %, AMST 100.0 % of 10 rows", "edge: HDE 100.0 %, AMST 0.0 % of 10 rows"}, balance.Details)
	require.EqualValues(t, 2, balance.Count)
	require.Equal(t, Balance{"dc": {0, 10}, "edge": {10, 0}, "wan": {5, 5}, "metro": {5, 5}}, report.Balance)
	require.Equal(t, "ok", report.Check("coverage").status())
}

func TestExactly30PercentIsBalanced(t *testing.T) {
	t.Parallel()
	c := validTable(100)
	for i, link := range []string{"dc", "metro", "wan", "edge"} {
		labelled(c, 5, link, "HDE", 25*i)
		labelled(c, 20, link, "AMST", 25*i+5)
	}
	require.Len(t, c.validate(t).Check("balance").Details, 5, "20 % overall and in each link type")

	c = validTable(40)
	for i, link := range []string{"dc", "metro", "wan", "edge"} {
		labelled(c, 3, link, "HDE", 10*i)
		labelled(c, 7, link, "AMST", 10*i+3)
	}
	require.Zero(t, c.validate(t).Check("balance").Count)
}

func TestLinkTypeWithFewRowsIsNamed(t *testing.T) {
	t.Parallel()
	c := validTable(100)
	labelled(c, 40, "dc", "HDE", 0)
	labelled(c, 51, "wan", "AMST", 40)
	labelled(c, 5, "metro", "HDE", 91)
	labelled(c, 4, "edge", "HDE", 96)
	coverage := c.validate(t).Check("coverage")
	require.Equal(t, []string{"edge: 4 of 100 rows (4.0 %)"}, coverage.Details)

	labelled(c, 9, "wan", "AMST", 91)
	coverage = c.validate(t).Check("coverage")
	require.Equal(t, []string{"metro: 0 of 100 rows (0.0 %)", "edge: 0 of 100 rows (0.0 %)"}, coverage.Details)
}

func TestEmptyCellsAreCountedByColumn(t *testing.T) {
	t.Parallel()
	c := validTable(100)
	for row := range 5 {
		c.set(row, "entropy_estimate", "")
	}
	for row := range 6 {
		c.set(row, "repetition_score", "")
	}
	report := c.validate(t)
	require.True(t, report.Passed(), "an empty cell of an optional column is a warning")
	missing := report.Check("missing")
	require.EqualValues(t, 11, missing.Count)
	require.Equal(t, []string{"entropy_estimate: 5 empty (5.0 %)", "repetition_score: 6 empty (6.0 %, more than 5.0 %)"}, missing.Details)
}

func TestOutliersAreCountedByColumn(t *testing.T) {
	t.Parallel()
	c := validTable(40)
	for row := range c.rows {
		c.set(row, "rtt_ms", "10")
		c.set(row, "payload_size", "4096")
	}
	c.set(8, "rtt_ms", "500")
	c.set(20, "rtt_ms", "9")
	outliers := c.validate(t).Check("outliers")
	var rtt []string
	for _, detail := range outliers.Details {
		require.False(t, strings.HasPrefix(detail, "payload_size"), "equal values have no outliers")
		if strings.HasPrefix(detail, "rtt_ms") {
			rtt = append(rtt, detail)
		}
	}
	require.Equal(t, []string{"rtt_ms: 2 outside 10..10, the first on line 10: 500"}, rtt)
	require.GreaterOrEqual(t, outliers.Count, int64(2))
}

func TestRowsOutOfOrderAreAWarning(t *testing.T) {
	t.Parallel()
	c := validTable(10)
	c.set(5, "timestamp", *c.cell(4, "timestamp")) // equal is in order
	c.set(6, "timestamp", formatTime(moment.Add(-time.Hour)))
	report := c.validate(t)
	require.True(t, report.Passed())
	order := report.Check("order")
	require.Equal(t, []Sample{{Line: 8, Column: "timestamp", Value: "2026-11-20T11:00:00.000000Z", Rule: "must not be before 2026-11-20T11:59:55.000000Z"}}, order.Samples)
	require.Equal(t, moment.Add(-time.Hour), report.Oldest)
}

func TestTextThatPandasTakesForMissingIsAWarning(t *testing.T) {
	t.Parallel()
	for _, word := range []string{"NA", "null", "None", "nan", "N/A", "NULL", "<NA>"} {
		c := validTable(10)
		c.set(2, "region", word)
		c.set(3, "region", "na") // pandas keeps this one
		report := c.validate(t)
		require.True(t, report.Passed())
		found := report.Check("pandas")
		require.Equal(t, []Sample{{Line: 4, Column: "region", Value: word, Rule: "is taken for missing"}}, found.Samples)
		require.Contains(t, found.verdict(), "pandas.read_csv")
	}
}

func TestStatisticsLeaveOutWrongCells(t *testing.T) {
	t.Parallel()
	c := validTable(10)
	c.set(0, "link_type", "lan")
	c.set(1, "oracle_algorithm", "TCP")
	c.set(2, "rtt_ms", "-1e9")
	report := c.validate(t)
	require.EqualValues(t, 10, report.Records)
	require.EqualValues(t, 8, report.Balance.Overall().Total())
	require.NotContains(t, strings.Join(report.Check("outliers").Details, "\n"), "-1e+09")
}
