package validate

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/trainingset"
)

// labelled gives every row a link type and a label that its measurements give.
func labelled(c *sheet, rows int, link, label string, from int) {
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
	report := c.held(t, "balance: {min_rows: 1}")
	require.True(t, report.Passed(), "imbalance is a warning")
	balance := report.Check("balance")
	balance.Details = slices.DeleteFunc(balance.Details, func(line string) bool { return strings.HasPrefix(line, "region ") })
	require.Equal(t, []string{"dc: HDE 0.0 %, AMST 100.0 % of 10 rows", "edge: HDE 100.0 %, AMST 0.0 % of 10 rows"}, balance.Details)
	require.Equal(t, trainingset.Balance{"dc": {AMST: 10}, "edge": {HDE: 10}, "wan": {HDE: 5, AMST: 5}, "metro": {HDE: 5, AMST: 5}}, report.Statistics.Balance)
}

// Three rows of one label say nothing; they must not look as if they were well.
func TestTooFewRowsAreNotCalledBalanced(t *testing.T) {
	t.Parallel()
	balance := validTable(19).validate(t).Check("balance")
	require.Equal(t, Skipped, balance.Status)
	require.Equal(t, "fewer than 20 rows", balance.Skipped)
	require.NotEqual(t, Skipped, validTable(20).validate(t).Check("balance").Status)
}

func TestExactly30PercentIsBalanced(t *testing.T) {
	t.Parallel()
	c := validTable(100)
	for i, link := range []string{"dc", "metro", "wan", "edge"} {
		labelled(c, 5, link, "HDE", 25*i)
		labelled(c, 20, link, "AMST", 25*i+5)
	}
	require.Subset(t, c.validate(t).Check("balance").Details, []string{"all: HDE 20.0 %, AMST 80.0 % of 100 rows", "edge: HDE 20.0 %, AMST 80.0 % of 25 rows"})

	c = validTable(40)
	for i, link := range []string{"dc", "metro", "wan", "edge"} {
		labelled(c, 3, link, "HDE", 10*i)
		labelled(c, 7, link, "AMST", 10*i+3)
	}
	require.NotContains(t, strings.Join(c.held(t, "balance: {min_rows: 1}").Check("balance").Details, "\n"), "30.0 %")
}

func TestLinkTypeWithFewRowsIsNamed(t *testing.T) {
	t.Parallel()
	c := validTable(100)
	labelled(c, 40, "dc", "HDE", 0)
	labelled(c, 51, "wan", "AMST", 40)
	labelled(c, 5, "metro", "HDE", 91)
	labelled(c, 4, "edge", "HDE", 96)
	coverage := c.held(t, "coverage: {min_cell_rows: 0}").Check("coverage")
	require.Equal(t, []string{"edge: 4 of 100 rows (4.0 %, at least 5.0 % are needed)"}, coverage.Details)

	labelled(c, 9, "wan", "AMST", 91)
	coverage = c.held(t, "coverage: {min_cell_rows: 0}").Check("coverage")
	require.Equal(t, []string{"metro: 0 of 100 rows (0.0 %, at least 5.0 % are needed)", "edge: 0 of 100 rows (0.0 %, at least 5.0 % are needed)"}, coverage.Details)
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
	require.Equal(t, []string{"repetition_score: 6 of 100 missing (6.0 %)"}, report.Check("missing").Details)
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
	require.Equal(t, moment.Add(-time.Hour), report.Statistics.Oldest)
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
		require.Contains(t, found.Verdict(), "pandas.read_csv")
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
	require.EqualValues(t, 8, report.Statistics.Balance.Overall().Total())
	for _, f := range report.Statistics.Features {
		require.GreaterOrEqual(t, f.Min, 0.0, f.Column)
	}
}
