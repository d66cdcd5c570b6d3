package export

import (
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/internal/oracle"
	"github.com/novacron/dwcp-telemetry/trainingset"
)

func TestDefaultIsThePlansExport(t *testing.T) {
	t.Parallel()
	o := DefaultOptions().filled()
	require.Equal(t, Filter{Since: 720 * time.Hour, MinQuality: 0.8, CandidatesOnly: true}, o.Filter)
	require.Equal(t, []Format{CSV}, o.Formats)
	require.Equal(t, SplitNone, o.Split)
	var names []string
	for _, c := range o.columns() {
		names = append(names, c.Name)
	}
	require.Equal(t, trainingset.Columns(), names)
}

func TestWindowIsFixedOnce(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 1, 2, 3, 4, 5678, time.UTC)
	w := (&Filter{Since: time.Hour}).window(now)
	require.Equal(t, window{time.Date(2026, 11, 1, 1, 3, 4, 5000, time.UTC), time.Date(2026, 11, 1, 2, 3, 4, 5000, time.UTC)}, w)
	require.Equal(t, w, (&Filter{From: w.from.In(time.FixedZone("CET", 3600)), To: w.to}).window(now.Add(time.Hour)))
	require.True(t, (&Filter{}).window(now).from.IsZero())
}

func TestConditionsAreConstantsForThePlanner(t *testing.T) {
	t.Parallel()
	f := DefaultOptions().Filter
	c, err := f.conditions(f.window(time.Date(2026, 11, 1, 1, 3, 4, 5000, time.UTC)), nil)
	require.NoError(t, err)
	require.Equal(t, "SELECT x FROM public.compression_telemetry_ml AS t"+
		" WHERE t.timestamp >= '2026-10-02T01:03:04.000005Z'::timestamptz AND t.timestamp < '2026-11-01T01:03:04.000005Z'::timestamptz"+
		" AND t.quality_score > 0.8::float8 AND t.is_training_candidate"+
		" ORDER BY t.timestamp, t.event_id", c.selection("x"))
}

func TestWrongOptionsNameOptionValueAndRule(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		o    Options
		want string
	}{
		{Options{Filter: Filter{Since: -time.Hour}}, `since: must not be negative, got "-1h0m0s"`},
		{Options{Filter: Filter{Since: time.Hour, From: at}}, `since: says when the window begins, and so does --from, got "1h0m0s"`},
		{Options{Filter: Filter{From: at, To: at}}, `from: must be before --to, 2026-11-01T00:00:00.000000Z, got "2026-11-01T00:00:00.000000Z"`},
		{Options{Filter: Filter{MinQuality: 1}}, `min-quality: must be at least 0 and below 1: scores are 0..1 and must lie above it, got "1"`},
		{Options{Filter: Filter{MinQuality: math.NaN()}}, `min-quality: must be at least 0 and below 1: scores are 0..1 and must lie above it, got "NaN"`},
		{Options{Filter: Filter{LinkTypes: []string{"dc", "wlan"}}}, `link-type: must be one of dc, metro, wan, edge, got "wlan"`},
		{Options{Filter: Filter{Regions: []string{strings.Repeat("x", 21)}}}, `region: must be 1..20 characters of UTF-8 without NUL, got "xxxxxxxxxxxxxxxxxxxxx"`},
		{Options{Filter: Filter{Environments: []string{""}}}, `environment: is required, got ""`},
		{Options{Filter: Filter{OracleVersions: []string{"a\x00"}}}, `oracle-version: must be 1..32 characters of UTF-8 without NUL, got "a\x00"`},
		{Options{Columns: "some"}, `columns: must be one of plan, plan-prior, context, all, got "some"`},
		{Options{Formats: []Format{"xls"}}, `format: must be one of csv, parquet, got "xls"`},
		{Options{Split: "thirds"}, `split: must be one of none, time, group, random, got "thirds"`},
		{Options{GroupBy: "host"}, `group-by: must be one of vm-session, session, vm, row, got "host"`},
		{Options{Balance: "region"}, `balance: must be one of none, label, link-type, got "region"`},
		{Options{Balance: BalanceLabel}, `balance: touches the train part only, so it needs --split time, group or random, got "label"`},
		{Options{Split: SplitGroup, GroupBy: ByRow}, `group-by: is no group; --split random splits row by row, got "row"`},
		{Options{Split: SplitTime, GroupBy: ByVMAndSession}, `group-by: must be session, vm or row with --split time, got "vm-session"`},
		{Options{Gap: -1}, `gap: must not be negative, got "-1ns"`},
		{Options{Sample: -1}, `sample: must not be negative; 0 takes every row, got "-1"`},
		{Options{Retention: -1}, `retention: must not be negative; 0 means that the export never expires, got "-1ns"`},
	} {
		_, err := Run(t.Context(), nil, t.TempDir(), test.o)
		var wrong *trainingset.OptionError
		require.ErrorAs(t, err, &wrong, test.want)
		require.EqualError(t, err, test.want)
	}
}

func TestEachFilterTakesItsRows(t *testing.T) {
	t.Parallel()
	b := setup(t)
	all := decisions(8, b.now)
	for i := range all {
		all[i].QualityScore, all[i].TrainingCandidate = decision.Some(1.0), decision.Some(true)
		all[i].LinkType, all[i].Region = decision.DC, "eu"
	}
	all[0].Timestamp = b.now.Add(-30*day - time.Minute)
	all[1].QualityScore = decision.Some(0.8) // must lie above it
	all[2].QualityScore = decision.Some(0.8000000000000002)
	all[2].LinkType, all[2].Region, all[2].Environment = decision.WAN, `o'b\r`, decision.Some("staging")
	all[3].TrainingCandidate = decision.Some(false)
	all[4].QualityScore = decision.Opt[float64]{}
	all[4].LinkType = decision.Edge
	all[5].TrainingCandidate = decision.Opt[bool]{}
	require.NoError(t, oracle.Completion.Label(&all[5]))
	all[5].QualityScore, all[5].TrainingCandidate = decision.Some(1.0), decision.Opt[bool]{}
	all[6].Timestamp = b.now.Add(-30*day + time.Hour)
	all[7].Timestamp = b.now.Add(time.Hour) // of a clock that runs ahead
	b.load(t, all)
	for _, test := range []struct {
		name string
		f    Filter
		want []int
	}{
		{"the plan's", DefaultOptions().Filter, []int{6, 2}},
		{"everything until now", Filter{}, []int{0, 6, 1, 2, 3, 4, 5}},
		{"and after it", Filter{To: b.now.Add(2 * time.Hour)}, []int{0, 6, 1, 2, 3, 4, 5, 7}},
		{"candidates", Filter{CandidatesOnly: true}, []int{0, 6, 1, 2, 4}},
		{"quality", Filter{Since: 30 * day, MinQuality: 0.5}, []int{6, 1, 2, 3, 5}},
		{"from is in it", Filter{From: all[6].Timestamp, To: all[2].Timestamp}, []int{6, 1}},
		{"link types", Filter{LinkTypes: []string{"wan", "edge"}}, []int{2, 4}},
		{"region", Filter{Regions: []string{`o'b\r`}}, []int{2}},
		{"environment", Filter{Environments: []string{"staging", "none"}}, []int{2}},
		{"oracle version", Filter{OracleVersions: []string{"completion/1"}}, []int{5}},
	} {
		var want []string
		for _, row := range test.want {
			want = append(want, formatTime(all[row].Timestamp))
		}
		require.Equal(t, want, csvOf(t, b.export(t, Options{Filter: test.f}), 0).column(t, "timestamp"), test.name)
	}
}

func TestRowsOfTheSameMomentAreOrderedByID(t *testing.T) {
	t.Parallel()
	b := setup(t)
	all := decisions(50, b.now.Add(-time.Second))
	for i := range all {
		all[i].Timestamp, all[i].PayloadBytes = all[0].Timestamp, int64(i+1)
	}
	slices.Reverse(all)
	b.load(t, all)
	for row, cell := range csvOf(t, b.export(t, Options{}), 0).column(t, "payload_size") {
		require.Equal(t, decision.IntValue(int64(row+1)).String(), cell)
	}
}

func TestEmptyTableExportsAHeaderAndSaysWhy(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, split := range []Split{SplitNone, SplitTime, SplitGroup, SplitRandom} {
		o := DefaultOptions()
		o.Split, o.Formats, o.Sample, o.Columns = split, []Format{CSV, Parquet}, 10, trainingset.Context
		result := b.export(t, o)
		require.Zero(t, result.Manifest.Rows)
		require.Equal(t, []string{"the table holds no rows yet, so the export has none"}, result.Manifest.Warnings)
		require.Len(t, csvOf(t, result, 0).header, 23)
		require.Zero(t, openParquet(t, result.File(0, Parquet)).NumRows())
	}
	content, err := os.ReadFile(b.export(t, DefaultOptions()).File(0, CSV))
	require.NoError(t, err)
	require.Equal(t, strings.Join(trainingset.Columns(), ",")+"\n", string(content))
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
	require.Equal(t, []string{"no row passes the filter, so the export has none; of the 10 rows in the table: " +
		"1 with a quality score not above 0.8, 10 no training candidates"}, b.export(t, DefaultOptions()).Manifest.Warnings)
	m := b.export(t, Options{Filter: Filter{Since: time.Minute, Regions: []string{"mars"}}}).Manifest
	require.Equal(t, []string{"no row passes the filter, so the export has none; of the 10 rows in the table: " +
		"10 older than " + formatTime(m.Query.From) + ", 10 of another region than mars"}, m.Warnings)
}
