package trainingset

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/internal/oracle"
)

func TestFilterIsThePlans(t *testing.T) {
	t.Parallel()
	b := setup(t)
	all := decisions(7, b.now)
	for i := range all {
		all[i].QualityScore, all[i].TrainingCandidate = decision.Some(1.0), decision.Some(true)
	}
	all[1].QualityScore = decision.Some(0.8) // must lie above it
	all[2].QualityScore = decision.Some(0.8000000000000002)
	all[3].TrainingCandidate = decision.Some(false)
	all[4].QualityScore = decision.Opt[float64]{}
	all[5].TrainingCandidate = decision.Opt[bool]{}
	all[0].Timestamp = b.now.Add(-30*day - time.Minute)
	all[6].Timestamp = b.now.Add(-30*day + time.Hour)
	b.load(t, all)
	times := func(o ExportOptions) (times []string) {
		for _, row := range readCSV(t, b.export(t, o).File).rows {
			times = append(times, row[0])
		}
		return times
	}
	at := func(rows ...int) (times []string) {
		for _, row := range rows {
			times = append(times, formatTime(all[row].Timestamp))
		}
		return times
	}
	require.Equal(t, at(6, 2), times(DefaultExportOptions()))
	require.Equal(t, at(0, 6, 1, 2, 3, 4, 5), times(ExportOptions{}))
	require.Equal(t, at(0, 6, 1, 2, 4), times(ExportOptions{CandidatesOnly: true}))
	require.Equal(t, at(6, 1, 2, 3, 5), times(ExportOptions{Since: 30 * day, MinQuality: 0.5}))
	require.Equal(t, at(0, 6), times(ExportOptions{Limit: 2}), "the oldest")
}

func TestResultObeysTheLimit(t *testing.T) {
	t.Parallel()
	b := setup(t)
	all := decisions(100, b.now)
	b.load(t, all)
	result := b.export(t, ExportOptions{Limit: 30})
	require.EqualValues(t, 30, result.Rows)
	require.EqualValues(t, 30, result.Balance.Overall().Total())
	require.Equal(t, all[29].Timestamp, result.Newest)
}

func TestRowsOfTheSameMomentAreOrderedByID(t *testing.T) {
	t.Parallel()
	b := setup(t)
	all := decisions(50, b.now)
	for i := range all {
		all[i].Timestamp, all[i].PayloadBytes = all[0].Timestamp, int64(i+1)
	}
	slices.Reverse(all)
	b.load(t, all)
	for row, cells := range readCSV(t, b.export(t, ExportOptions{}).File).rows {
		require.Equal(t, decision.IntValue(int64(row+1)).String(), cells[slices.Index(Columns(), "payload_size")])
	}
}

func TestMixedOracleVersionsAreAWarning(t *testing.T) {
	t.Parallel()
	b := setup(t)
	all := decisions(10, b.now)
	for i := range 3 {
		require.NoError(t, oracle.Completion.Label(&all[i]))
	}
	all[9].OracleVersion = decision.Opt[string]{}
	b.load(t, all)
	result := b.export(t, ExportOptions{})
	require.Equal(t, map[string]int64{"completion/1": 3, "plan/1": 6, "": 1}, result.OracleVersions)
	require.Equal(t, []string{"the labels come from different rules, which a model cannot learn as one: " +
		"none (1 rows), completion/1 (3 rows), plan/1 (6 rows)"}, result.Warnings)
}

func TestEmptyTableExportsAHeaderAndSaysWhy(t *testing.T) {
	t.Parallel()
	b := setup(t)
	result := b.export(t, DefaultExportOptions())
	require.Zero(t, result.Rows)
	require.Equal(t, []string{"the table holds no rows yet, so the CSV has only its header"}, result.Warnings)
	content, err := os.ReadFile(result.File)
	require.NoError(t, err)
	require.Equal(t, strings.Join(Columns(), ",")+"\n", string(content))
}

func TestEmptyExportSaysWhatKeepsTheRowsOut(t *testing.T) {
	t.Parallel()
	b := setup(t)
	all := decisions(10, b.now.Add(-time.Hour))
	for i := range all {
		all[i].TrainingCandidate, all[i].QualityScore = decision.Some(false), decision.Some(0.9)
	}
	all[0].QualityScore = decision.Opt[float64]{}
	b.load(t, all)
	result := b.export(t, DefaultExportOptions())
	require.Equal(t, []string{"no row passes the filter, so the CSV has only its header; of the 10 rows in the table: " +
		"1 with a quality score not above 0.8, 10 no training candidates"}, result.Warnings)
	result = b.export(t, ExportOptions{Since: time.Minute})
	require.Equal(t, []string{"no row passes the filter, so the CSV has only its header; of the 10 rows in the table: " +
		"10 older than " + formatTime(result.From)}, result.Warnings)
}
