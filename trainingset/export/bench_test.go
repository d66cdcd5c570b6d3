package export

import (
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
)

const benchmarkCopies = 30 // of the sample: about 200,000 rows

// BenchmarkExport exports about 200,000 rows to each format, and lets PostgreSQL
// copy the same rows as psql's \copy does, side by side in one run: compare the
// rates.
func BenchmarkExport(b *testing.B) {
	url := pgtest.Database(b)
	conn := pgtest.Connect(b, url)
	var now time.Time
	require.NoError(b, conn.QueryRow(b.Context(), "SELECT now()").Scan(&now))
	bundle := &testBundle{admin: conn}
	for i := range benchmarkCopies {
		copies := decisions(len(measured()), now.Add(time.Duration(-i)*2*time.Hour))
		for k := range copies {
			binary.BigEndian.PutUint64(copies[k].EventID[:8], uint64(i+1))
		}
		bundle.load(b, copies)
	}
	_, err := conn.Exec(b.Context(), "VACUUM ANALYZE compression_telemetry")
	require.NoError(b, err)
	rate := func(b *testing.B, run func(dir string) int64) {
		b.Helper()
		dir, rows, n := b.TempDir(), int64(0), 0
		for b.Loop() {
			n++
			rows += run(filepath.Join(dir, strconv.Itoa(n)))
		}
		b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
	}
	b.Run("psql copy", func(b *testing.B) {
		rate(b, func(dir string) int64 { return copyToFile(b, conn, dir) })
	})
	for name, formats := range map[string][]Format{"csv": {CSV}, "parquet": {Parquet}, "both": {CSV, Parquet}} {
		b.Run(name, func(b *testing.B) {
			o := DefaultOptions()
			o.Formats = formats
			rate(b, func(dir string) int64 {
				result, err := Run(b.Context(), conn, dir, o)
				require.NoError(b, err)
				return result.Manifest.Rows
			})
		})
	}
}

// copyToFile is what \copy (SELECT …) TO 'file' does.
func copyToFile(b *testing.B, conn *pgx.Conn, path string) int64 {
	b.Helper()
	s, err := openSnapshot(b.Context(), conn, &Filter{Since: 30 * day, MinQuality: 0.8, CandidatesOnly: true})
	require.NoError(b, err)
	defer s.close(b.Context())
	file, err := os.Create(path)
	require.NoError(b, err)
	defer file.Close()
	var list []string
	for _, c := range (&Options{Columns: "plan"}).columns() {
		list = append(list, expression(c.Field))
	}
	tag, err := conn.PgConn().CopyTo(b.Context(), io.Writer(file), "COPY ("+s.rows.selection(strings.Join(list, ", "))+") TO STDOUT (FORMAT csv, HEADER)")
	require.NoError(b, err)
	return tag.RowsAffected()
}
