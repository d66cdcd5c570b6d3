package main_test

import (
	"encoding/json"
	"encoding/xml"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// defect is a training set in which the check of that name finds something.
func defect(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("..", "..", "trainingset", "validate", "testdata", "defects", name))
	require.NoError(t, err)
	return path
}

func TestAReportIsWrittenInEveryFormAskedFor(t *testing.T) {
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	r := execute(t, nil, "validate", defect(t, "label"), "--config", defect(t, "config.yaml"),
		"--json", file("r.json"), "--junit", file("r.xml"), "--html", file("r.html"))
	require.Equal(t, 1, r.code, r.both())
	require.Empty(t, r.stderr, "what was found has been told")
	require.Contains(t, r.stdout, "error    label ")
	require.Contains(t, r.stdout, "FAILED: 1 error, ")

	var report struct {
		Passed bool
		Errors int
		Checks []struct {
			Name, Status string
			Count        int
		}
	}
	content, err := os.ReadFile(file("r.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(content, &report))
	require.False(t, report.Passed)
	require.Equal(t, 1, report.Errors)

	var junit struct {
		Suites []struct {
			Tests    int `xml:"tests,attr"`
			Failures int `xml:"failures,attr"`
			Cases    []struct {
				Name    string  `xml:"name,attr"`
				Failure *string `xml:"failure"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	content, err = os.ReadFile(file("r.xml"))
	require.NoError(t, err)
	require.NoError(t, xml.Unmarshal(content, &junit))
	require.Len(t, junit.Suites, 1)
	suite := junit.Suites[0]
	require.Equal(t, []int{len(report.Checks), 1}, []int{suite.Tests, suite.Failures})
	require.Len(t, suite.Cases, len(report.Checks))
	for i, c := range suite.Cases {
		require.Equal(t, report.Checks[i].Name, c.Name)
		require.Equal(t, c.Name == "label", c.Failure != nil, c.Name)
	}
	content, err = os.ReadFile(file("r.html"))
	require.NoError(t, err)
	require.Contains(t, string(content), `data-check="label"`)
}

func TestAReportOnStandardOutputIsAlone(t *testing.T) {
	r := execute(t, nil, "validate", defect(t, "label"), "--json", "-")
	require.Equal(t, 1, r.code)
	require.True(t, json.Valid([]byte(r.stdout)), r.stdout)
	r = execute(t, nil, "validate", defect(t, "order"), "--junit", "-")
	require.Zero(t, r.code, "warnings do not fail it")
	require.Regexp(t, `^<\?xml`, r.stdout)
}

func TestThresholdsThatWerePrintedCanBeChanged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "checks.yaml")
	require.NoError(t, os.WriteFile(path, []byte(succeed(t, nil, "validate", "--print-config")), 0o600))
	set := defect(t, "order")
	require.Contains(t, succeed(t, nil, "validate", set, "--config", path), "Passed with")
	require.NoError(t, os.WriteFile(path, []byte("severity: {order: error}\n"), 0o600))
	require.Equal(t, 1, execute(t, nil, "validate", set, "--config", path).code)
	require.Contains(t, succeed(t, nil, "validate", "--print-config", "--config", path), "\n  order: error\n")
	require.NoError(t, os.WriteFile(path, []byte("order: {max: 1}\n"), 0o600))
	failWith(t, "order: there is no such key; `dwcp-telemetry validate --print-config` lists them", nil, "validate", set, "--config", path)
}

func TestAMilestoneThatIsNotReachedFails(t *testing.T) {
	set := defect(t, "candidates")
	require.Contains(t, succeed(t, nil, "validate", set, "--milestone", "64"), "64 training candidates, 64 are asked for")
	r := execute(t, nil, "validate", set, "--milestone", "65")
	require.Equal(t, 1, r.code)
	require.Contains(t, r.stdout, "64 of 65 training candidates")
}

func TestTheTableItselfIsValidated(t *testing.T) {
	env := with(database(t))
	failWith(t, "`dwcp-telemetry migrate up` makes it", env, "validate", "--database")
	succeed(t, env, "migrate", "up")
	r := execute(t, env, "validate", "--database")
	require.Equal(t, 1, r.code, "an empty table is no training set")
	demo(t, env, "--decisions", "120")
	require.Contains(t, succeed(t, env, "validate", "--database", "--since", "30d"), "the table of decisions: 120 records")
}
