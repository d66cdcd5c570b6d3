package validate

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares a text with the file of that name under testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

func textOf(t *testing.T, write func(io.Writer) error) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, write(&b))
	return b.String()
}

func TestReportOfAPassIsReadable(t *testing.T) {
	t.Parallel()
	report := validTable(2000).validate(t)
	report.Source = "data/dwcp_training.csv"
	golden(t, "passed.txt", textOf(t, report.WriteText))
}

func TestReportOfAFailureIsReadable(t *testing.T) {
	t.Parallel()
	c := validTable(200)
	for row := range 8 {
		c.set(row, "rtt_ms", "-1")
	}
	c.set(20, "region", "")
	c.set(21, "has_baseline", "t")
	c.set(22, "hde_latency_ms", "NaN")
	workedOut(c, 23, "39", "AMST")
	c.rows[24] = c.rows[24][:3]
	c.header = append(c.header, "fold")
	for row := range c.rows {
		c.rows[row] = append(c.rows[row], "1")
	}
	report := c.validate(t)
	report.Source = "data/dwcp_training.csv"
	golden(t, "failed.txt", textOf(t, report.WriteText))
}

func TestFindingsLeaveOutWhatHolds(t *testing.T) {
	t.Parallel()
	c := validTable(200)
	c.set(3, "rtt_ms", "-1")
	report := c.validate(t)
	text := textOf(t, report.WriteFindings)
	require.Contains(t, text, "line 5: rtt_ms must be ≥ 0")
	require.Contains(t, text, report.Verdict())
	require.NotRegexp(t, "(?m)^(ok|skipped) ", text)
	require.Contains(t, text, fmt.Sprintf("%d checks passed, ", report.count(Passed)))
}

func TestReportOfAnEmptyFileIsReadable(t *testing.T) {
	t.Parallel()
	report := validTable(0).validate(t)
	report.Source = "data/dwcp_training.csv"
	golden(t, "no_records.txt", textOf(t, report.WriteText))
}

func TestReportSurvivesJSON(t *testing.T) {
	t.Parallel()
	report := validTable(50).validate(t)
	encoded, err := json.Marshal(report)
	require.NoError(t, err)
	again := &Report{}
	require.NoError(t, json.Unmarshal(encoded, again))
	require.Equal(t, withoutLimits(report), again)
	require.Contains(t, string(encoded), `"balance":{"`)
}

func TestSampleReadsAsASentence(t *testing.T) {
	t.Parallel()
	require.Equal(t, "line 17: rtt_ms must be ≥ 0, got -1", Sample{Line: 17, Column: "rtt_ms", Value: "-1", Rule: "must be ≥ 0"}.String())
	require.Equal(t, "line 3: wrong number of fields", Sample{Line: 3, Rule: "wrong number of fields"}.String())
	require.Equal(t, "is no CSV", Sample{Rule: "is no CSV"}.String())
}

func TestWriteTextReturnsTheWritersError(t *testing.T) {
	t.Parallel()
	full := errors.New("disk full")
	require.ErrorIs(t, validTable(5).validate(t).WriteText(failing{full}), full)
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// withoutLimits is the report without what is not in its JSON.
func withoutLimits(r *Report) *Report {
	for i := range r.Checks {
		r.Checks[i].maxSamples = 0
	}
	return r
}
