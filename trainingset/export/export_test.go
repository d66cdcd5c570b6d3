package export

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
	"github.com/novacron/dwcp-telemetry/trainingset"
)

// requireSameFiles compares everything but the manifests.
func requireSameFiles(t *testing.T, a, b *Result) {
	t.Helper()
	require.Equal(t, filesIn(t, a.Dir), filesIn(t, b.Dir))
	for _, name := range filesIn(t, a.Dir) {
		if name == trainingset.ManifestName {
			continue
		}
		one, err := os.ReadFile(filepath.Join(a.Dir, name))
		require.NoError(t, err)
		other, err := os.ReadFile(filepath.Join(b.Dir, name))
		require.NoError(t, err)
		require.Equal(t, one, other, name)
	}
	require.Contains(t, filesIn(t, a.Dir), trainingset.ChecksumsName)
}

func TestTheSameRowsGiveTheSameBytes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.load(t, decisions(3000, b.now.Add(-time.Hour)))
	for name, o := range map[string]Options{
		"whole":  {},
		"group":  {Split: SplitGroup, Columns: trainingset.Context, Sample: 2000, Seed: 7},
		"time":   {Split: SplitTime, Columns: trainingset.All, Balance: BalanceLinkType, Gap: time.Minute},
		"random": {Split: SplitRandom, Balance: BalanceLabel, Weights: true, Seed: 3},
	} {
		o.Formats, o.From, o.To, o.Retention = []Format{CSV, Parquet}, b.now.Add(-24*time.Hour), b.now, 90*day
		first, second := b.export(t, o), b.export(t, o)
		require.Positive(t, first.Manifest.Rows, name)
		requireSameFiles(t, first, second)
		changed := first.Manifest
		changed.CreatedAt, changed.Snapshot = second.Manifest.CreatedAt, second.Manifest.Snapshot
		require.Equal(t, changed, second.Manifest, "nothing else differs")
	}
}

func TestRowsLoadedMeanwhileAreNotInTheSnapshot(t *testing.T) {
	t.Parallel()
	b := setup(t)
	all := decisions(200, b.now.Add(-time.Second))
	b.load(t, all[:100])
	s, err := openSnapshot(t.Context(), b.reader, &Filter{})
	require.NoError(t, err)
	defer s.close(t.Context())
	b.load(t, all[100:])
	rows, err := s.scan(t.Context(), newLayout(trainingset.Plan.Columns(trainingset.Further{})), func(*batch) {})
	require.NoError(t, err)
	require.EqualValues(t, 100, rows)
}

func TestExportCannotWriteToTheDatabase(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s, err := openSnapshot(t.Context(), b.admin, &Filter{})
	require.NoError(t, err)
	defer s.close(t.Context())
	_, err = s.tx.Exec(t.Context(), "DELETE FROM compression_telemetry")
	require.ErrorContains(t, err, "read-only transaction")
}

func TestConnectionIsIdleAfterAnExport(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.export(t, Options{})
	require.Equal(t, byte('I'), b.reader.PgConn().TxStatus())
}

func TestDatabaseThatIsNotMigratedIsSaidSo(t *testing.T) {
	t.Parallel()
	conn := pgtest.Connect(t, pgtest.EmptyDatabase(t))
	dir := t.TempDir()
	_, err := Run(t.Context(), conn, filepath.Join(dir, "set"), DefaultOptions())
	require.ErrorIs(t, err, ErrNotMigrated)
	require.ErrorContains(t, err, "dwcp-telemetry migrate up")
	require.Empty(t, filesIn(t, dir))
}

func TestCancelledExportLeavesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.load(t, decisions(6000, b.now.Add(-time.Second)))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	calls := 0
	_, err := Run(ctx, b.reader, b.dir, Options{Formats: []Format{CSV, Parquet}, Progress: func(string, int64, int64) {
		calls++
		cancel()
		time.Sleep(10 * time.Millisecond)
	}})
	require.ErrorIs(t, err, context.Canceled)
	require.Positive(t, calls)
	require.Empty(t, filesIn(t, filepath.Dir(b.dir)))
}

// fullAfter fails when so many batches were written.
type fullAfter struct {
	batches int
	err     error
}

func (f *fullAfter) write(*batch) error {
	if f.batches--; f.batches < 0 {
		return f.err
	}
	return nil
}

func TestFullDiskFailsTheExport(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.load(t, decisions(6000, b.now.Add(-time.Second)))
	full := errors.New("no space left on device")
	for batches := range 3 {
		s, err := openSnapshot(t.Context(), pgtest.Connect(t, b.admin.Config().ConnString()), &Filter{})
		require.NoError(t, err)
		counted := &fullAfter{batches: 100}
		_, err = s.scan(t.Context(), newLayout(trainingset.Plan.Columns(trainingset.Further{})), func(*batch) {}, counted, &fullAfter{batches, full})
		require.ErrorIs(t, err, full)
		s.close(t.Context())
	}
}

func TestWriteErrorNamesTheFile(t *testing.T) {
	t.Parallel()
	files, err := createPartFiles(t.TempDir(), CSV, []string{"train"}, newLayout(trainingset.Plan.Columns(trainingset.Further{})).columns)
	require.NoError(t, err)
	files.abandon()
	_, err = files.finish()
	require.ErrorContains(t, err, "write train.csv")
	require.ErrorIs(t, err, os.ErrClosed)
}

func TestResultIsReadable(t *testing.T) {
	t.Parallel()
	r := &Result{Dir: "data", Manifest: fixture()}
	var text strings.Builder
	require.NoError(t, r.WriteText(&text))
	golden(t, "result.txt", []byte(text.String()))
	full := errors.New("disk full")
	require.ErrorIs(t, r.WriteText(failing{full}), full)
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }
