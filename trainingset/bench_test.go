package trainingset

import (
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
)

const benchmarkCopies = 15 // of the sample: about 100,000 rows

// BenchmarkExport exports about 100,000 rows.
func BenchmarkExport(b *testing.B) {
	conn, err := pgx.Connect(b.Context(), pgtest.Database(b))
	require.NoError(b, err)
	defer conn.Close(context.Background())
	bundle := &testBundle{admin: conn}
	require.NoError(b, conn.QueryRow(b.Context(), "SELECT now()").Scan(&bundle.now))
	for i := range benchmarkCopies {
		copies := decisions(len(measured()), bundle.now.Add(time.Duration(-i)*time.Hour))
		for k := range copies {
			binary.BigEndian.PutUint64(copies[k].EventID[:8], uint64(i+1))
		}
		bundle.load(b, copies)
	}
	dir, rows := b.TempDir(), int64(0)
	for b.Loop() {
		result, err := Export(b.Context(), conn, dir, ExportOptions{Since: 30 * day})
		require.NoError(b, err)
		b.SetBytes(result.Bytes)
		rows += result.Rows
	}
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkValidate checks the sample.
func BenchmarkValidate(b *testing.B) {
	path := filepath.Join(b.TempDir(), FileName)
	c := validTable(len(measured()))
	require.NoError(b, os.WriteFile(path, c.encode(), 0o600))
	b.ReportAllocs()
	for b.Loop() {
		_, err := Validate(b.Context(), path, ValidateOptions{})
		require.NoError(b, err)
	}
	b.ReportMetric(float64(b.N*len(c.rows))/b.Elapsed().Seconds(), "rows/s")
}
