package validate

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestWhatIsPrintedIsReadAgain(t *testing.T) {
	t.Parallel()
	changed := DefaultConfig()
	changed.MaxAge, changed.MinCellVMs, changed.DriftLimit = 36*time.Hour, 11, 0.25
	changed.RawIDPatterns = []string{`^it's \d+$`, "x"}
	changed.Severity["drift_weeks"] = "error"
	for _, c := range []Config{DefaultConfig(), changed} {
		var b bytes.Buffer
		require.NoError(t, c.Write(&b))
		again := DefaultConfig()
		require.NoError(t, again.read(b.Bytes()), b.String())
		require.Equal(t, c, again)
	}
}

func TestOnlyWhatDiffersIsNamed(t *testing.T) {
	t.Parallel()
	c := DefaultConfig()
	require.NoError(t, c.read([]byte("missing: {max_share: 0.01}\nfreshness:\n  max_age: 2d\nraw_ids:\n  patterns: [^guest]\nreport: # nothing\n")))
	want := DefaultConfig()
	want.MaxMissingShare, want.MaxAge, want.RawIDPatterns = 0.01, 48*time.Hour, []string{"^guest"}
	require.Equal(t, want, c)
	for _, nothing := range []string{"", "# only a comment\n", "---\n"} {
		c := DefaultConfig()
		require.NoError(t, c.read([]byte(nothing)), "%q", nothing)
		require.Equal(t, DefaultConfig(), c)
	}
}

func TestWrongConfigurationNamesKeyValueAndRule(t *testing.T) {
	t.Parallel()
	for yaml, want := range map[string]string{
		"missing: {max_shares: 1}":           "missing::max_shares: there is no such key; missing has max_share",
		"mising: {max_share: 1}":             "mising: there is no such key; `dwcp-telemetry validate --print-config` lists them",
		"missing: {max_share: 5}":            `missing::max_share: must be a number, 0..1, got "5"`,
		"missing: {max_share: .nan}":         `missing::max_share: must be a number, 0..1, got ".nan"`,
		"missing: {max_share: NaN}":          `missing::max_share: must be a number, 0..1, got "NaN"`,
		"balance: {min_share: 0.6}":          `balance::min_share: must be a number, 0..0.5, got "0.6"`,
		"report: {samples: 1.5}":             `report::samples: must be a whole number, 0..1000, got "1.5"`,
		"gaps: {max_silence: 24}":            `gaps::max_silence: must be a whole number and a unit (s, m, h, d or w), like 30d, got "24"`,
		"raw_ids: {patterns: ['(']}":         `raw_ids::patterns: must be a regular expression of Go, got "("`,
		"severity: {label: fatal}":           `severity::label: must be one of error, warning, off, got "fatal"`,
		"severity: {labels: off}":            `severity: must be the name of a check; docs/validation.md lists them, got "labels"`,
		"missing: 5":                         `missing line 1: must be keys with values, like missing: {max_share: 0.05}, got "5"`,
		"- missing":                          "line 1: must be keys with values",
		"missing: {max_share: {a: 1}}":       "missing::max_share: must be a value or a list of them",
		"ties: {max_share: 1, max_share: 0}": `line 1: must be there only once, got "max_share"`,
		"a: [":                               "yaml: ",
	} {
		path := filepath.Join(t.TempDir(), "checks.yaml")
		require.NoError(t, os.WriteFile(path, []byte(yaml), 0o600))
		_, err := ReadConfig(path)
		require.ErrorContains(t, err, want, yaml)
		require.ErrorContains(t, err, path)
	}
	_, err := ReadConfig(filepath.Join(t.TempDir(), "none.yaml"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestAllThatIsWrongIsToldAtOnce(t *testing.T) {
	t.Parallel()
	c := DefaultConfig()
	err := c.read([]byte("missing: {max_share: 5}\nties: {share: 1}\n"))
	require.ErrorContains(t, err, "missing::max_share")
	require.ErrorContains(t, err, "ties::share")
}

func TestASeverityCanBeChangedAndACheckTurnedOff(t *testing.T) {
	t.Parallel()
	c := validTable(200)
	require.NotZero(t, c.validate(t).Check("balance").Count)
	require.False(t, c.held(t, "severity: {balance: error}").Passed())
	report := c.held(t, "severity: {balance: off}")
	require.Equal(t, Skipped, report.Check("balance").Status)
	require.Zero(t, report.Check("balance").Count)
	c.set(3, "rtt_ms", "-1")
	require.True(t, c.held(t, "severity: {ranges: warning}").Passed())
}
