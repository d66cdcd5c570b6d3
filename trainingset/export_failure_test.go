package trainingset

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
)

func TestFolderIsMadeForItsOwnerAlone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.dir = filepath.Join(b.dir, "data", "set")
	b.export(t, ExportOptions{})
	info, err := os.Stat(b.dir)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
}

func TestDatabaseThatIsNotMigratedIsSaidSo(t *testing.T) {
	t.Parallel()
	conn := pgtest.Connect(t, pgtest.EmptyDatabase(t))
	dir := t.TempDir()
	_, err := Export(t.Context(), conn, dir, DefaultExportOptions())
	require.ErrorIs(t, err, ErrNotMigrated)
	require.ErrorContains(t, err, "dwcp-telemetry migrate up")
	require.Empty(t, filesIn(t, dir))
}

func TestCancelledExportLeavesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.load(t, decisions(3000, b.now))
	s, err := openSnapshot(t.Context(), b.reader, ExportOptions{})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, err = writeAtomically(filepath.Join(b.dir, FileName), func(w io.Writer) error {
		return s.copyTo(ctx, onWrite{w, func() {
			cancel()
			time.Sleep(time.Millisecond) // a row each, so that the connection hears of it before the last
		}}, 3000)
	})
	require.ErrorIs(t, err, context.Canceled)
	require.Empty(t, filesIn(t, b.dir))
	s.close(ctx)
}

func TestFullDiskFailsTheExport(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.load(t, decisions(3000, b.now))
	s, err := openSnapshot(t.Context(), b.reader, ExportOptions{})
	require.NoError(t, err)
	full := errors.New("no space left on device")
	_, err = writeAtomically(filepath.Join(b.dir, FileName), func(io.Writer) error {
		return s.copyTo(t.Context(), failing{full}, 3000)
	})
	require.ErrorIs(t, err, full)
	require.ErrorContains(t, err, "copy the rows out of public.compression_telemetry_ml")
	require.Empty(t, filesIn(t, b.dir))
	s.close(t.Context())
}

func TestRowsLoadedMeanwhileAreNotInTheSnapshot(t *testing.T) {
	t.Parallel()
	b := setup(t)
	all := decisions(200, b.now)
	b.load(t, all[:100])
	s, err := openSnapshot(t.Context(), b.reader, ExportOptions{})
	require.NoError(t, err)
	defer s.close(t.Context())
	before, err := s.summarize(t.Context())
	require.NoError(t, err)
	b.load(t, all[100:])
	var out bytes.Buffer
	require.NoError(t, s.copyTo(t.Context(), &out, before.Rows))
	require.Equal(t, 101, strings.Count(out.String(), "\n"))
	require.ErrorContains(t, s.copyTo(t.Context(), io.Discard, 99), "got 100 rows where the same snapshot counted 99")
}

func TestExportCannotWriteToTheDatabase(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s, err := openSnapshot(t.Context(), b.admin, ExportOptions{})
	require.NoError(t, err)
	defer s.close(t.Context())
	_, err = s.tx.Exec(t.Context(), "DELETE FROM compression_telemetry")
	require.ErrorContains(t, err, "read-only transaction")
}

// onWrite calls something with each write.
type onWrite struct {
	io.Writer
	call func()
}

func (o onWrite) Write(p []byte) (int, error) {
	o.call()
	return o.Writer.Write(p)
}
