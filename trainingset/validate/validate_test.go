package validate

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/oracle"
)

func TestMeasuredDecisionsPass(t *testing.T) {
	t.Parallel()
	all := len(measured())
	report := validTable(all).validate(t)
	for i := range report.Checks {
		c := &report.Checks[i]
		require.True(t, c.Passed(), "%s: %s %v", c.Name, c.Verdict(), c.Samples)
	}
	require.True(t, report.Passed())
	require.EqualValues(t, all, report.Records)
	require.EqualValues(t, all, report.Statistics.Balance.Overall().Total())
	require.Equal(t, moment, report.Statistics.Newest)
	require.Equal(t, moment.Add(time.Duration(1-all)*time.Second), report.Statistics.Oldest)
	require.Empty(t, report.OtherColumns)
	require.Equal(t, fmt.Sprintf("the rule plan/1 gives all %d labels again", all), report.Check("label").Verdict())
	// The plan's formula favours HDE on these links (data/README.md: 84 %).
	require.InDelta(t, 0.84, report.Statistics.Balance.Overall().HDEShare(), 0.01)
	require.NotZero(t, report.Check("balance").Count)
}

func TestCellThatBreaksARuleIsFoundWhereItIs(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, column, cell string
		check, value, rule string
	}{
		{"negative time", "rtt_ms", "-1", "ranges", "-1", "must be ≥ 0 and ≤ 1e12"},
		{"zero bandwidth", "bandwidth_available_mbps", "0", "ranges", "0", "must be > 0 and ≤ 1e12"},
		{"percent above 100", "hde_cpu_usage", "100.5", "ranges", "100.5", "must be 0..100"},
		{"entropy above 8", "entropy_estimate", "8.1", "ranges", "8.1", "must be 0..8"},
		{"tier from 0", "network_tier", "0", "ranges", "0", "must be 1..3"},
		{"unknown link", "link_type", "lan", "enums", "lan", "must be one of dc, metro, wan, edge"},
		{"unknown label", "oracle_algorithm", "hde", "enums", "hde", "must be one of HDE, AMST"},
		{"long region", "region", "a-region-of-21-letters", "ranges", "a-region-of-21-letters", "must be 1..20 characters of UTF-8 without NUL"},
		{"NaN", "hde_latency_ms", "NaN", "finite", "NaN", "must be ≥ 0 and ≤ 1e12"},
		{"Infinity", "amst_latency_ms", "Infinity", "finite", "+Inf", "must be ≥ 0 and ≤ 1e12"},
		{"text for a number", "rtt_ms", "fast", "types", "fast", "must be a number"},
		{"NA for a number", "hde_latency_ms", "NA", "types", "NA", "must be a number"},
		{"hexadecimal float", "rtt_ms", "0x1p4", "types", "0x1p4", "must be a number"},
		{"fraction of a byte", "payload_size", "4096.5", "types", "4096.5", "must be a whole number"},
		{"float for a count", "amst_stream_count", "4.0", "types", "4.0", "must be a whole number"},
		{"PostgreSQL's boolean", "has_baseline", "t", "types", "t", "must be true or false"},
		{"Python's boolean", "has_baseline", "True", "types", "True", "must be true or false"},
		{"local time", "timestamp", "2026-11-20 12:00:00", "types", "2026-11-20 12:00:00", "must be a time in RFC 3339, like 2026-11-23T23:21:34.263638Z"},
		{"no region", "region", "", "required", "", "is required"},
		{"no label", "oracle_algorithm", "", "required", "", "is required"},
		{"no baseline", "has_baseline", "", "required", "", "is required"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := validTable(20)
			c.set(7, test.column, test.cell)
			report := c.validate(t)
			require.False(t, report.Passed())
			found := onlyFinds(t, report, test.check)
			require.EqualValues(t, 1, found.Count)
			require.Equal(t, []Sample{{Line: 9, Column: test.column, Value: test.value, Rule: test.rule}}, found.Samples)
		})
	}
}

func TestFileWithoutARecordFails(t *testing.T) {
	t.Parallel()
	header := onlyFinds(t, validTable(0).validate(t), "records")
	require.EqualValues(t, 1, header.Count)

	path := filepath.Join(t.TempDir(), "empty.csv")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	report, err := Path(t.Context(), path, Options{Now: moment.Add(time.Hour)})
	require.NoError(t, err)
	onlyFinds(t, report, "records")
	require.Equal(t, "not checked: the file is empty", report.Check("header").Verdict())
	require.Equal(t, Skipped, report.Check("balance").Status)
}

func TestMalformedRowsAreFoundAndTheOthersRead(t *testing.T) {
	t.Parallel()
	c := validTable(30)
	c.rows[4] = c.rows[4][:20]
	c.rows[8] = append(c.rows[8], "one more")
	report := c.validate(t)
	found := onlyFinds(t, report, "rows")
	require.Equal(t, []Sample{{Line: 6, Rule: "wrong number of fields"}, {Line: 10, Rule: "wrong number of fields"}}, found.Samples)
	require.EqualValues(t, 30, report.Records)
	require.EqualValues(t, 28, report.Statistics.Balance.Overall().Total())
}

func TestFileThatIsNoCSVFails(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "set.csv")
	require.NoError(t, os.WriteFile(path, []byte("a\"b,c\n\x00\"\n"), 0o600))
	report, err := Path(t.Context(), path, Options{Now: moment.Add(time.Hour)})
	require.NoError(t, err)
	require.False(t, report.Passed())
	require.NotZero(t, report.Check("rows").Count)
}

func TestFolderStandsForTheCSVInIt(t *testing.T) {
	t.Parallel()
	path := validTable(5).write(t)
	report, err := Path(t.Context(), filepath.Dir(path), Options{Now: moment.Add(time.Hour)})
	require.NoError(t, err)
	require.Equal(t, filepath.Dir(path), report.Source)
	require.EqualValues(t, 5, report.Records)

	_, err = Path(t.Context(), t.TempDir(), Options{Now: moment.Add(time.Hour)})
	require.ErrorContains(t, err, "find the training set in the folder")
	_, err = Path(t.Context(), filepath.Join(t.TempDir(), "none.csv"), Options{Now: moment.Add(time.Hour)})
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestCancelledValidationEnds(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Path(ctx, validTable(5).write(t), Options{Now: moment.Add(time.Hour)})
	require.ErrorIs(t, err, context.Canceled)
}

func TestSamplesAreOnlyAFew(t *testing.T) {
	t.Parallel()
	c := validTable(40)
	for row := range c.rows {
		c.set(row, "network_tier", "9")
	}
	found := onlyFinds(t, c.validate(t), "ranges")
	require.EqualValues(t, 40, found.Count)
	require.Len(t, found.Samples, 5)
}

func FuzzValidateNeverPanics(f *testing.F) {
	f.Add([]byte("timestamp,link_type\n2026-11-20T12:00:00Z,wan\n"))
	f.Add([]byte("\ufeff\"a\nb\",rtt_ms\n1,2,3\n\"\n"))
	f.Add([]byte("rtt_ms,rtt_ms,payload_size\n1e308,-1e308,9223372036854775807\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		path := filepath.Join(t.TempDir(), "set.csv")
		require.NoError(t, os.WriteFile(path, content, 0o600))
		report, err := Path(context.Background(), path, Options{Rule: oracle.Completion})
		require.NoError(t, err)
		require.NoError(t, report.WriteText(discard{}))
	})
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
