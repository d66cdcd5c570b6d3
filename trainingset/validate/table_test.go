package validate

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/trainingset"
	"github.com/novacron/dwcp-telemetry/trainingset/trainingsettest"
)

// moment is when the decisions of tests without a database were made.
var moment = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

var (
	measured  = trainingsettest.Measured
	decisions = trainingsettest.Decisions
)

// sheet is a CSV that a test changes before it is written.
type sheet struct {
	header []string
	rows   [][]string
}

// validTable has the exported columns and nothing wrong but what the sample has.
func validTable(rows int) *sheet {
	return tableOf(decisions(rows, moment), trainingset.Columns()...)
}

func tableOf(decisions []decision.Decision, columns ...string) *sheet {
	c := &sheet{header: columns}
	for i := range decisions {
		var row []string
		for _, column := range columns {
			cell := ""
			if value, ok := decision.Column(column).Value(&decisions[i]); ok {
				cell = value.String()
			}
			row = append(row, cell)
		}
		c.rows = append(c.rows, row)
	}
	return c
}

// cell is the cell of a data row, counted from 0.
func (c *sheet) cell(row int, column string) *string {
	at := slices.Index(c.header, column)
	if at < 0 {
		panic(fmt.Sprintf("no column %q", column))
	}
	return &c.rows[row][at]
}

func (c *sheet) set(row int, column, value string) { *c.cell(row, column) = value }

// encode is the CSV as bytes.
func (c *sheet) encode() []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	if err := w.WriteAll(append([][]string{c.header}, c.rows...)); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// write writes the CSV into a new folder and returns its path.
func (c *sheet) write(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), trainingset.FileName)
	require.NoError(t, os.WriteFile(path, c.encode(), 0o600))
	return path
}

// validate writes the CSV and checks it.
func (c *sheet) validate(t *testing.T) *Report {
	t.Helper()
	report, err := Path(context.Background(), c.write(t), Options{Now: moment.Add(time.Hour)})
	require.NoError(t, err)
	return report
}

// held is validate with another configuration.
func (c *sheet) held(t *testing.T, yaml string) *Report {
	t.Helper()
	config := DefaultConfig()
	require.NoError(t, config.read([]byte(yaml)))
	report, err := Path(context.Background(), c.write(t), Options{Config: &config, Now: moment.Add(time.Hour)})
	require.NoError(t, err)
	return report
}

// onlyFinds requires that of the errors only the named check finds something,
// and returns it.
func onlyFinds(t *testing.T, report *Report, name string) *Check {
	t.Helper()
	for i := range report.Checks {
		if c := &report.Checks[i]; c.Severity == Error && c.Name != name {
			require.Zero(t, c.Count, "%s: %s %v %v", c.Name, c.Problem, c.Details, c.Samples)
		}
	}
	found := report.Check(name)
	require.NotNil(t, found, name)
	require.NotZero(t, found.Count, "%s found nothing", name)
	return found
}

// of is a cell of a row of this sheet.
func (c *sheet) of(row []string, column string) string { return row[slices.Index(c.header, column)] }

func (c *sheet) drop(column string) {
	at := slices.Index(c.header, column)
	c.header = slices.Delete(slices.Clone(c.header), at, at+1)
	for i := range c.rows {
		c.rows[i] = slices.Delete(c.rows[i], at, at+1)
	}
}

// append adds a column that is the same in every row.
func (c *sheet) append(column, value string) {
	c.header = append(slices.Clone(c.header), column)
	for i := range c.rows {
		c.rows[i] = append(c.rows[i], value)
	}
}
