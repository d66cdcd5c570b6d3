package main_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/trainingset/trainingsettest"
)

// filled is an environment with a migrated database that holds the sample so
// many times, ending so long ago.
func filled(t *testing.T, times int, ago time.Duration) []string {
	t.Helper()
	url := database(t)
	env := with(url)
	succeed(t, env, "migrate", "up")
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer func() { _ = conn.Close(t.Context()) }()
	all := trainingsettest.Measured()
	for i := range times {
		trainingsettest.Load(t, conn, trainingsettest.Decisions(len(all), time.Now().Add(-ago-time.Duration(i)*2*time.Hour)))
	}
	return env
}

func TestAKilledExportLeavesNoFolderAndTheNextOneClearsUp(t *testing.T) {
	env := filled(t, 40, time.Hour)
	parent := t.TempDir()
	out, partial := filepath.Join(parent, "data"), filepath.Join(parent, ".data.partial")
	killed := command(t, env, "export", "--out", out, "--format", "csv,parquet")
	require.NoError(t, killed.Start())
	require.Eventually(t, func() bool {
		info, err := os.Stat(filepath.Join(partial, "dwcp_training.csv"))
		return err == nil && info.Size() > 0
	}, time.Minute, time.Millisecond, "the export is under way")
	require.NoError(t, killed.Process.Signal(syscall.SIGKILL))
	require.Error(t, killed.Wait())
	require.NoDirExists(t, out)
	require.DirExists(t, partial)

	require.Contains(t, succeed(t, env, "export", "--out", filepath.Join(parent, "other")), "Exported")
	require.NoDirExists(t, partial)
	require.NoDirExists(t, out)
	require.DirExists(t, filepath.Join(parent, "other"))
}

func TestExportsAreListedAndPurgedWhenTheyExpire(t *testing.T) {
	env := filled(t, 1, 48*time.Hour)
	parent := t.TempDir()
	fresh, old := filepath.Join(parent, "fresh"), filepath.Join(parent, "old")
	succeed(t, env, "export", "--out", fresh)
	require.Contains(t, succeed(t, env, "export", "--out", old, "--retention", "1d"), "has expired already")
	listed := succeed(t, env, "exports", "list", "--dir", parent)
	require.Contains(t, listed, fresh)
	require.Regexp(t, `expired \d{4}-\d\d-\d\d +`+old, listed)
	require.Contains(t, succeed(t, env, "exports", "list", "--dir", parent, "--json"), `"format":"dwcp-training-set/1"`)

	require.Contains(t, succeed(t, env, "exports", "purge-expired", "--dir", parent, "--dry-run"), old)
	failWith(t, "--yes: is needed where nobody can be asked", env, "exports", "purge-expired", "--dir", parent)
	require.DirExists(t, old)
	require.NoError(t, os.WriteFile(filepath.Join(old, "model.pkl"), nil, 0o600))
	r := execute(t, env, "exports", "purge-expired", "--dir", parent, "--yes")
	require.Equal(t, 1, r.code)
	require.Contains(t, r.stderr, "not deleted: "+old+" holds what is not of the export: model.pkl")
	require.NoError(t, os.Remove(filepath.Join(old, "model.pkl")))
	require.Contains(t, succeed(t, env, "exports", "purge-expired", "--dir", parent, "--yes"), "deleted "+old)
	require.NoDirExists(t, old)
	require.DirExists(t, fresh)
}

func TestAnExportIsRefusedWhereOneIsAndReplacedByForce(t *testing.T) {
	env := filled(t, 1, time.Hour)
	out := filepath.Join(t.TempDir(), "data")
	succeed(t, env, "export", "--out", out)
	failWith(t, "--out: must not be there yet; --force replaces an earlier export", env, "export", "--out", out)
	succeed(t, env, "export", "--out", out, "--force", "--split", "group", "--columns", "plan-prior", "--format", "parquet")
	require.FileExists(t, filepath.Join(out, "train.parquet"))
	require.NoFileExists(t, filepath.Join(out, "dwcp_training.csv"))
}
