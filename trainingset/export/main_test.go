package export

import (
	"encoding/csv"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
	"github.com/novacron/dwcp-telemetry/trainingset/trainingsettest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

var (
	measured  = trainingsettest.Measured
	decisions = trainingsettest.Decisions
)

// testBundle is a migrated database with a connection of its administrator and
// one of the ML team, which is who exports.
type testBundle struct {
	admin, reader *pgx.Conn
	now           time.Time // of the database
	dir           string    // not there yet
}

func setup(t *testing.T) *testBundle {
	t.Helper()
	url := pgtest.Database(t)
	b := &testBundle{admin: pgtest.Connect(t, url), reader: pgtest.Connect(t, pgtest.Login(t, url, "dwcp_ml_reader")),
		dir: filepath.Join(t.TempDir(), "set")}
	require.NoError(t, b.admin.QueryRow(t.Context(), "SELECT now()").Scan(&b.now))
	b.now = b.now.UTC()
	return b
}

func (b *testBundle) load(t testing.TB, all []decision.Decision) {
	t.Helper()
	trainingsettest.Load(t, b.admin, all)
}

// export exports as the ML team does, into a folder of its own.
func (b *testBundle) export(t *testing.T, o Options) *Result {
	t.Helper()
	result, err := Run(t.Context(), b.reader, filepath.Join(t.TempDir(), "set"), o)
	require.NoError(t, err)
	return result
}

// table is a CSV that was read.
type table struct {
	header []string
	rows   [][]string
}

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

// column returns the cells of one column.
func (c *table) column(t *testing.T, name string) (cells []string) {
	t.Helper()
	at := slices.Index(c.header, name)
	require.GreaterOrEqual(t, at, 0, name)
	for _, row := range c.rows {
		cells = append(cells, row[at])
	}
	return cells
}

// csvOf is the CSV of a part.
func csvOf(t *testing.T, r *Result, part int) *table {
	t.Helper()
	return readCSV(t, r.File(part, CSV))
}

func filesIn(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares a text with the file of that name under testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))
}
