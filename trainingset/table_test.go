package trainingset

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/csv"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/internal/oracle"
	"github.com/novacron/dwcp-telemetry/internal/sample"
)

// moment is when the decisions of tests without a database were made.
var moment = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// measured is the sample as the collector stores it: labelled, hashed, without
// what the table refuses.
var measured = sync.OnceValue(func() []decision.Decision {
	var all []decision.Decision
	for d, err := range sample.Measured() {
		if err != nil {
			panic(err)
		}
		hash := sha256.Sum256([]byte(d.VMID))
		d.VMID, d.VMKeyID = hex.EncodeToString(hash[:]), decision.Some("test")
		binary.BigEndian.PutUint64(d.EventID[8:], uint64(len(all)+1))
		if err := oracle.Plan.Label(&d); err == nil && decision.CheckStored(&d) == nil {
			all = append(all, d)
		}
	}
	return all
})

// decisions returns the first n of the sample, one a second up to newest.
func decisions(n int, newest time.Time) []decision.Decision {
	chosen := slices.Clone(measured()[:n])
	for i := range chosen {
		chosen[i].Timestamp = newest.Add(time.Duration(i-n+1) * time.Second).UTC().Truncate(time.Microsecond)
	}
	return chosen
}

// table is a CSV that a test changes before it is written.
type table struct {
	header []string
	rows   [][]string
}

// validTable has the exported columns and nothing wrong but what the sample has.
func validTable(rows int) *table {
	return tableOf(decisions(rows, moment), Columns()...)
}

func tableOf(decisions []decision.Decision, columns ...string) *table {
	c := &table{header: columns}
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
func (c *table) cell(row int, column string) *string {
	at := slices.Index(c.header, column)
	if at < 0 {
		panic(fmt.Sprintf("no column %q", column))
	}
	return &c.rows[row][at]
}

func (c *table) set(row int, column, value string) { *c.cell(row, column) = value }

// encode is the CSV as bytes.
func (c *table) encode() []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	if err := w.WriteAll(append([][]string{c.header}, c.rows...)); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// write writes the CSV into a new folder and returns its path.
func (c *table) write(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), FileName)
	require.NoError(t, os.WriteFile(path, c.encode(), 0o600))
	return path
}

// validate writes the CSV and checks it.
func (c *table) validate(t *testing.T) Report {
	t.Helper()
	report, err := Validate(context.Background(), c.write(t), ValidateOptions{})
	require.NoError(t, err)
	return report
}

// onlyFinds requires that of the errors only the named check finds something,
// and returns it.
func onlyFinds(t *testing.T, report Report, name string) *Check {
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
