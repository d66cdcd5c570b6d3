package trainingset

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
)

// readCSV returns the header and the rows of an export.
func readCSV(t *testing.T, path string) *table {
	t.Helper()
	file, err := os.Open(path)
	require.NoError(t, err)
	defer file.Close()
	all, err := csv.NewReader(file).ReadAll()
	require.NoError(t, err)
	require.NotEmpty(t, all)
	return &table{header: all[0], rows: all[1:]}
}

func TestEveryValueIsExportedAsItIsStored(t *testing.T) {
	t.Parallel()
	b := setup(t)
	all := decisions(len(measured()), b.now)
	all[3].EntropyEstimate = decision.Opt[float64]{}
	all[4].Region = `eu "west", 1`
	all[5].BandwidthAvailableMbps = 0.1 + 0.2
	all[6].RTTMillis = 1e-7
	all[7].PayloadType = "line\nbreak"
	b.load(t, all)
	result := b.export(t, ExportOptions{})

	exported, want := readCSV(t, result.File), tableOf(all, Columns()...)
	require.Equal(t, want.header, exported.header)
	require.Len(t, exported.rows, len(want.rows))
	for row := range want.rows {
		for i, f := range columns {
			cell := exported.rows[row][i]
			if f.Kind == decision.KindFloat && cell != "" {
				// PostgreSQL writes 1e-07 where Go writes 1e-07 or 1E-7: compare bits.
				value, err := decision.ParseValue(f.Kind, cell)
				require.NoError(t, err)
				cell = value.String()
			}
			require.Equal(t, want.rows[row][i], cell, "row %d, %s", row, f.Column)
		}
	}
}

func TestExportPassesItsOwnValidation(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.load(t, decisions(2000, b.now))
	result := b.export(t, DefaultExportOptions())
	report, err := Validate(t.Context(), b.dir, ValidateOptions{})
	require.NoError(t, err)
	require.True(t, report.Passed(), textOf(t, report.WriteText))
	require.Equal(t, result.File, report.File)
	require.Equal(t, result.Rows, report.Records)
	require.Equal(t, result.Balance, report.Balance)
	require.Equal(t, result.Oldest, report.Oldest)
	require.Equal(t, result.Newest, report.Newest)
	require.Zero(t, report.Check("order").Count)
	require.Zero(t, report.Check("arms").Count)
}

func TestResultCountsWhatTheCSVHolds(t *testing.T) {
	t.Parallel()
	b := setup(t)
	all := decisions(500, b.now)
	all[0].ActualAlgorithm = decision.Opt[decision.Algorithm]{}
	b.load(t, all)
	result := b.export(t, ExportOptions{Since: time.Hour})

	balance, agreed := Balance{}, int64(0)
	for i := range all {
		balance.add(string(all[i].LinkType), string(all[i].OracleAlgorithm.Value), 1)
		if all[i].ActualAlgorithm == all[i].OracleAlgorithm {
			agreed++
		}
	}
	info, err := os.Stat(filepath.Join(b.dir, FileName))
	require.NoError(t, err)
	require.Equal(t, ExportResult{
		File: filepath.Join(b.dir, FileName), Rows: 500, Bytes: info.Size(),
		From: result.To.Add(-time.Hour), To: result.To, Oldest: all[0].Timestamp, Newest: all[499].Timestamp,
		Balance: balance, WithActual: 499, Agreed: agreed,
		OracleVersions: map[string]int64{"plan/1": 500},
	}, result)
	require.False(t, result.To.Before(b.now))
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

func TestSettingsOfTheServerDoNotShowInTheCSV(t *testing.T) {
	t.Parallel()
	b := setup(t)
	all := decisions(20, b.now)
	all[0].RTTMillis = 0.1 + 0.2
	b.load(t, all)
	plain, err := os.ReadFile(b.export(t, ExportOptions{}).File)
	require.NoError(t, err)
	for _, setting := range []string{"timezone = 'Asia/Kolkata'", "datestyle = 'German, DMY'", "extra_float_digits = -5",
		"intervalstyle = 'iso_8601'", "client_encoding = 'LATIN1'"} {
		_, err := b.reader.Exec(t.Context(), "SET "+setting)
		require.NoError(t, err)
	}
	unusual, err := os.ReadFile(b.export(t, ExportOptions{}).File)
	require.NoError(t, err)
	require.Equal(t, string(plain), string(unusual))
}

func TestConnectionIsIdleAfterAnExport(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.export(t, ExportOptions{})
	require.Equal(t, byte('I'), b.reader.PgConn().TxStatus())
}
