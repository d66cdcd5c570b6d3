package rows_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
	"github.com/novacron/dwcp-telemetry/trainingset"
	"github.com/novacron/dwcp-telemetry/trainingset/export"
	"github.com/novacron/dwcp-telemetry/trainingset/rows"
	"github.com/novacron/dwcp-telemetry/trainingset/trainingsettest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// readAll returns the header and the rows.
func readAll(t *testing.T, table rows.Table, err error) (all [][]string) {
	t.Helper()
	require.NoError(t, err)
	header, err := table.Header()
	require.NoError(t, err)
	all = append(all, header)
	for {
		cells, _, err := table.Next()
		if errors.Is(err, io.EOF) {
			require.NoError(t, table.Close())
			return all
		}
		require.NoError(t, err)
		all = append(all, inOneSpelling(cells))
	}
}

// inOneSpelling writes numbers in one way: those above a million have another in
// an exported CSV.
func inOneSpelling(cells []string) []string {
	spelled := make([]string, len(cells))
	for i, cell := range cells {
		spelled[i] = cell
		if x, err := strconv.ParseFloat(cell, 64); err == nil {
			spelled[i] = strconv.FormatFloat(x, 'g', -1, 64)
		}
	}
	return spelled
}

func TestParquetHasTheCellsOfTheCSV(t *testing.T) {
	t.Parallel()
	conn := pgtest.Connect(t, pgtest.Database(t))
	trainingsettest.Load(t, conn, trainingsettest.Decisions(1000, time.Now()))
	o := export.DefaultOptions()
	o.Columns, o.WithIdentity, o.Formats = trainingset.All, true, []export.Format{export.CSV, export.Parquet}
	result, err := export.Run(t.Context(), conn, filepath.Join(t.TempDir(), "set"), o)
	require.NoError(t, err)

	fromCSV, err := rows.OpenCSV(result.File(0, export.CSV))
	csv := readAll(t, fromCSV, err)
	fromParquet, err := rows.OpenParquet(result.File(0, export.Parquet))
	parquet := readAll(t, fromParquet, err)
	require.Greater(t, len(csv), 900)
	require.Equal(t, csv, parquet)
}

func TestAFileThatIsNoParquetIsItsOwnFault(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.parquet")
	require.NoError(t, os.WriteFile(path, []byte("a,b\n1,2\n"), 0o600))
	table, err := rows.OpenParquet(path)
	require.NoError(t, err)
	_, err = table.Header()
	var content *rows.ContentError
	require.ErrorAs(t, err, &content)
	require.Contains(t, content.Rule, "is no Parquet file that can be read")
	require.NoError(t, table.Close())
}

func TestARowOfTheCSVThatIsAtFaultDoesNotEndIt(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.csv")
	require.NoError(t, os.WriteFile(path, []byte("a,b\n1,2\n3\n5,6\n"), 0o600))
	table, err := rows.OpenCSV(path)
	require.NoError(t, err)
	header, err := table.Header()
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b"}, header)
	_, _, err = table.Next()
	require.NoError(t, err)
	_, _, err = table.Next()
	var content *rows.ContentError
	require.ErrorAs(t, err, &content)
	require.Equal(t, 3, content.Line)
	cells, line, err := table.Next()
	require.NoError(t, err)
	require.Equal(t, []string{"5", "6"}, cells)
	require.Equal(t, 4, line)
	_, _, err = table.Next()
	require.ErrorIs(t, err, io.EOF)
	require.NoError(t, table.Close())
	_, err = rows.OpenCSV(filepath.Join(t.TempDir(), "none.csv"))
	require.ErrorIs(t, err, os.ErrNotExist)
}
