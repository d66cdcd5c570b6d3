package validate

import (
	"bytes"
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
	"github.com/novacron/dwcp-telemetry/trainingset"
	"github.com/novacron/dwcp-telemetry/trainingset/export"
	"github.com/novacron/dwcp-telemetry/trainingset/trainingsettest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// loaded is a database with decisions in it, and a connection of the ML team.
func loaded(t *testing.T, rows int) (admin, reader *pgx.Conn, now time.Time) {
	t.Helper()
	url := pgtest.Database(t)
	admin, reader = pgtest.Connect(t, url), pgtest.Connect(t, pgtest.Login(t, url, "dwcp_ml_reader"))
	require.NoError(t, admin.QueryRow(t.Context(), "SELECT now()").Scan(&now))
	trainingsettest.Load(t, admin, decisions(rows, now))
	return admin, reader, now
}

// everything exports all rows with all columns.
func everything(formats ...export.Format) export.Options {
	o := export.DefaultOptions()
	o.Columns, o.WithIdentity, o.CandidatesOnly, o.MinQuality, o.Formats = trainingset.All, true, false, 0, formats
	return o
}

func TestTableCSVAndParquetGiveTheSameReport(t *testing.T) {
	t.Parallel()
	_, reader, now := loaded(t, 700)
	dir := filepath.Join(t.TempDir(), "set")
	_, err := export.Run(t.Context(), reader, dir, everything(export.CSV, export.Parquet))
	require.NoError(t, err)
	o := Options{Now: now.Add(time.Hour)}
	fromTable, err := Database(t.Context(), reader, 0, o)
	require.NoError(t, err)
	require.EqualValues(t, 700, fromTable.Records)
	require.True(t, fromTable.Passed(), fromTable.Checks)
	require.EqualValues(t, 700, fromTable.Statistics.Balance.Overall().Total())
	require.Len(t, fromTable.Statistics.Regret, 4)
	for _, name := range []string{"dwcp_training.csv", "dwcp_training.parquet", "."} {
		r, err := Path(t.Context(), filepath.Join(dir, name), o)
		require.NoError(t, err)
		require.True(t, r.Passed(), r.Checks)
		if name == "." {
			require.Equal(t, Passed, r.Check("manifest").Status, r.Check("manifest").Details)
		}
		require.Equal(t, fromTable.Statistics, r.Statistics, name)
		for i := range r.Checks {
			if c := r.Checks[i]; c.Name != "manifest" && c.Name != "expiry" && c.Status != Skipped {
				require.Equal(t, fromTable.Checks[i], c, name)
			}
		}
	}
}

func TestTheTableIsCheckedForAsLongAsAsked(t *testing.T) {
	t.Parallel()
	_, reader, _ := loaded(t, 200) // one a second
	r, err := Database(t.Context(), reader, 100*time.Second, Options{})
	require.NoError(t, err)
	require.Less(t, r.Records, int64(101))
	require.NotZero(t, r.Records)
	var alive int
	require.NoError(t, reader.QueryRow(t.Context(), "SELECT 1").Scan(&alive), "the connection can be used again")
}

func TestALabelChangedInTheTableIsFound(t *testing.T) {
	t.Parallel()
	admin, reader, _ := loaded(t, 50)
	_, err := admin.Exec(t.Context(), `UPDATE compression_telemetry SET oracle_algorithm = CASE oracle_algorithm WHEN 'HDE' THEN 'AMST' ELSE 'HDE' END
		WHERE event_id = (SELECT min(event_id::text)::uuid FROM compression_telemetry)`)
	require.NoError(t, err)
	r, err := Database(t.Context(), reader, 0, Options{})
	require.NoError(t, err)
	require.EqualValues(t, 1, onlyFinds(t, r, "label").Count)
}

func TestADatabaseWithoutTheTableIsTold(t *testing.T) {
	t.Parallel()
	conn := pgtest.Connect(t, pgtest.Database(t))
	_, err := conn.Exec(t.Context(), "DROP VIEW compression_telemetry_ml")
	require.NoError(t, err)
	_, err = Database(t.Context(), conn, 0, Options{})
	require.ErrorContains(t, err, "`dwcp-telemetry migrate up` makes it")
}

func TestSplitsAreReadAsOneAndKeepTheirGroupsApart(t *testing.T) {
	t.Parallel()
	_, reader, now := loaded(t, 600)
	for _, test := range []struct {
		split export.Split
		want  Status
	}{{export.SplitGroup, Passed}, {export.SplitTime, Passed}, {export.SplitRandom, Skipped}} {
		o := everything(export.Parquet)
		o.Split = test.split
		dir := filepath.Join(t.TempDir(), "set")
		exported, err := export.Run(t.Context(), reader, dir, o)
		require.NoError(t, err)
		r, err := Path(t.Context(), dir, Options{Now: now.Add(time.Hour)})
		require.NoError(t, err)
		require.Equal(t, exported.Manifest.Rows, r.Records)
		require.Len(t, r.Parts, 3)
		require.Equal(t, test.want, r.Check("groups").Status, test.split)
		require.Zero(t, r.Check("manifest").Count, r.Check("manifest").Details)
	}
}

func TestPriorsUnderOutcomesNamesAreNoOutcomes(t *testing.T) {
	t.Parallel()
	admin, reader, now := loaded(t, 100)
	_, err := admin.Exec(t.Context(), "UPDATE compression_telemetry SET hde_prior_latency_ms = 1, amst_prior_latency_ms = 1000")
	require.NoError(t, err)
	o := everything(export.CSV)
	o.Columns = trainingset.PlanPrior
	dir := filepath.Join(t.TempDir(), "set")
	_, err = export.Run(t.Context(), reader, dir, o)
	require.NoError(t, err)
	r, err := Path(t.Context(), dir, Options{Now: now})
	require.NoError(t, err)
	require.True(t, r.Passed(), r.Checks)
	require.Contains(t, r.Check("label").Skipped, "no outcomes")
	// Alone, nothing tells what the columns hold but who asks.
	r, err = Path(t.Context(), filepath.Join(dir, trainingset.FileName), Options{Now: now, Columns: trainingset.PlanPrior})
	require.NoError(t, err)
	require.True(t, r.Passed(), r.Checks)
}

func TestTornParquetFails(t *testing.T) {
	t.Parallel()
	_, reader, now := loaded(t, 100)
	dir := filepath.Join(t.TempDir(), "set")
	_, err := export.Run(t.Context(), reader, dir, everything(export.Parquet))
	require.NoError(t, err)
	path := filepath.Join(dir, "dwcp_training.parquet")
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, content[:len(content)/2], 0o600))
	r, err := Path(t.Context(), path, Options{Now: now})
	require.NoError(t, err)
	require.False(t, r.Passed())
	require.Contains(t, r.Check("rows").Samples[0].Rule, "is no Parquet file")
	random := rand.New(rand.NewPCG(1, 1))
	for range 150 { // whatever is torn, it is told and nothing panics
		torn := bytes.Clone(content)
		for range 1 + random.IntN(8) {
			torn[random.IntN(len(torn))] ^= byte(1 << random.IntN(8))
		}
		require.NoError(t, os.WriteFile(path, torn, 0o600))
		_, err := Path(t.Context(), path, Options{Now: now})
		require.NoError(t, err)
	}
	copy(content[200:], make([]byte, 2000))
	require.NoError(t, os.WriteFile(path, content, 0o600))
	r, err = Path(t.Context(), path, Options{Now: now})
	require.NoError(t, err)
	require.False(t, r.Passed())
}

func TestACancelledValidationOfTheTableEnds(t *testing.T) {
	t.Parallel()
	_, reader, _ := loaded(t, 3000)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := Database(ctx, reader, 0, Options{Progress: func(int64) { cancel() }})
	require.ErrorIs(t, err, context.Canceled)
}
