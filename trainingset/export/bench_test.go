package export

import (
	_ "embed"
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
	"github.com/novacron/dwcp-telemetry/trainingset"
)

var benchmarkRows = flag.Int64("rows", 200_000, "rows that BenchmarkExport exports")

//go:embed testdata/fill.sql
var fillSQL string

// BenchmarkExport exports to each format, and lets PostgreSQL copy the same rows
// as psql's \copy does, side by side in one run: compare the rates. MiB is the
// most memory the process has had so far; it must not grow with -rows:
//
//	go test -run '^$' -bench Export -benchtime 3x ./trainingset/export -rows 1000000
func BenchmarkExport(b *testing.B) {
	url := pgtest.Database(b)
	conn := pgtest.Connect(b, url)
	for _, step := range []struct {
		sql  string
		args []any
	}{
		{"SELECT ensure_partition(now()), ensure_partition(now() - interval '19 days')", nil},
		{fillSQL, []any{*benchmarkRows}},
		{"VACUUM ANALYZE compression_telemetry", nil},
	} {
		_, err := conn.Exec(b.Context(), step.sql, step.args...)
		require.NoError(b, err)
	}
	b.Run("psql copy", func(b *testing.B) {
		measure(b, func(dir string) int64 { return copyToFile(b, conn, dir) })
	})
	honest := Options{Columns: trainingset.PlanPrior, Split: SplitGroup, Formats: []Format{Parquet}}
	for _, one := range []struct {
		name string
		o    Options
	}{
		{"csv", Options{Formats: []Format{CSV}}},
		{"parquet", Options{Formats: []Format{Parquet}}},
		{"both", Options{Formats: []Format{CSV, Parquet}}},
		{"plan-prior split by group", honest},
		{"all with identity, split by group, balanced", Options{Columns: trainingset.All, WithIdentity: true, Split: SplitGroup, Balance: BalanceLinkType, Formats: []Format{CSV, Parquet}}},
		{"sample split by time", Options{Sample: 10_000, Split: SplitTime}},
	} {
		b.Run(one.name, func(b *testing.B) {
			measure(b, func(dir string) int64 {
				_, err := Run(b.Context(), conn, dir, one.o)
				require.NoError(b, err)
				require.NoError(b, os.RemoveAll(dir))
				return *benchmarkRows
			})
		})
	}
}

// measure reports rows read a second and the process's peak of memory.
func measure(b *testing.B, run func(dir string) int64) {
	b.Helper()
	dir, rows, n := b.TempDir(), int64(0), 0
	for b.Loop() {
		n++
		rows += run(filepath.Join(dir, strconv.Itoa(n)))
	}
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
	var usage unix.Rusage
	require.NoError(b, unix.Getrusage(unix.RUSAGE_SELF, &usage))
	b.ReportMetric(float64(usage.Maxrss)/1024, "MiB")
}

// copyToFile is what \copy (SELECT …) TO 'file' does.
func copyToFile(b *testing.B, conn *pgx.Conn, path string) int64 {
	b.Helper()
	s, err := openSnapshot(b.Context(), conn, &Filter{})
	require.NoError(b, err)
	defer s.close(b.Context())
	file, err := os.Create(path)
	require.NoError(b, err)
	defer os.Remove(path)
	defer file.Close()
	var list []string
	o := DefaultOptions()
	for _, c := range o.columns() {
		list = append(list, expression(c.Field))
	}
	tag, err := conn.PgConn().CopyTo(b.Context(), file, "COPY ("+s.rows.selection(strings.Join(list, ", "))+") TO STDOUT (FORMAT csv, HEADER)")
	require.NoError(b, err)
	return tag.RowsAffected()
}
