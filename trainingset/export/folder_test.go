package export

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/trainingset"
)

func TestFolderIsForItsOwnerAlone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.dir = filepath.Join(b.dir, "data", "set")
	_, err := Run(t.Context(), b.reader, b.dir, Options{Formats: []Format{CSV, Parquet}})
	require.NoError(t, err)
	for _, dir := range []string{b.dir, filepath.Dir(b.dir)} {
		info, err := os.Stat(dir)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
	}
	names := filesIn(t, b.dir)
	require.Equal(t, []string{"README.md", "SHA256SUMS", "croissant.json", "dwcp_training.csv", "dwcp_training.parquet", "manifest.json"}, names)
	for _, name := range names {
		info, err := os.Stat(filepath.Join(b.dir, name))
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), name)
	}
	require.Equal(t, []string{"set"}, filesIn(t, filepath.Dir(b.dir)), "nothing is left beside it")
}

func TestFolderAppearsWhenItIsComplete(t *testing.T) {
	t.Parallel()
	target := filepath.Join(t.TempDir(), "set")
	f, err := makeFolder(target, false)
	require.NoError(t, err)
	_, err = f.write("a", []byte("complete"))
	require.NoError(t, err)
	require.NoDirExists(t, target)
	require.NoError(t, f.publish())
	require.Equal(t, []string{"a"}, filesIn(t, target))
	f.abandon()
	require.DirExists(t, target, "what is published stays")
}

func TestAbandonedFolderLeavesNothing(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	f, err := makeFolder(filepath.Join(parent, "set"), false)
	require.NoError(t, err)
	_, err = f.write("a", []byte("half"))
	require.NoError(t, err)
	f.abandon()
	require.Empty(t, filesIn(t, parent))
}

func TestTwoExportsDoNotWriteTheSameFolder(t *testing.T) {
	t.Parallel()
	target := filepath.Join(t.TempDir(), "set")
	f, err := makeFolder(target, false)
	require.NoError(t, err)
	_, err = makeFolder(target, false)
	require.ErrorContains(t, err, "another export is writing it")
	beside, err := makeFolder(target+"2", false)
	require.NoError(t, err)
	beside.abandon()
	_, err = f.write("a", nil)
	require.NoError(t, err)
	require.NoError(t, f.publish())
	_, err = makeFolder(target, false)
	require.EqualError(t, err, `out: must not be there yet; --force replaces an earlier export, got "`+target+`"`)
}

func TestLeftoversOfAKilledExportAreClearedAway(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	for _, name := range []string{".set.partial", ".other.partial"} {
		require.NoError(t, os.Mkdir(filepath.Join(parent, name), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(parent, name, lockName), nil, 0o600)) // nobody holds it
		require.NoError(t, os.WriteFile(filepath.Join(parent, name, "train.csv"), []byte("half"), 0o600))
	}
	require.NoError(t, os.Mkdir(filepath.Join(parent, ".strangers.partial"), 0o700))
	f, err := makeFolder(filepath.Join(parent, "set"), false)
	require.NoError(t, err)
	_, err = f.write("train.csv", nil)
	require.NoError(t, err)
	require.NoError(t, f.publish())
	require.Equal(t, []string{".strangers.partial", "set"}, filesIn(t, parent))
}

func TestEmptyFolderMayBeThere(t *testing.T) {
	t.Parallel()
	b := setup(t)
	dir := t.TempDir()
	_, err := Run(t.Context(), b.reader, dir, Options{})
	require.NoError(t, err)
	_, err = trainingset.ReadManifest(dir)
	require.NoError(t, err)
}

func TestExportIsReplacedOnlyWhenAsked(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.load(t, decisions(10, b.now.Add(-time.Second)))
	first, err := Run(t.Context(), b.reader, b.dir, Options{})
	require.NoError(t, err)
	_, err = Run(t.Context(), b.reader, b.dir, Options{Columns: trainingset.Context})
	require.ErrorContains(t, err, "must not be there yet")
	m, err := trainingset.ReadManifest(b.dir)
	require.NoError(t, err)
	require.Equal(t, first.Manifest, m)

	second, err := Run(t.Context(), b.reader, b.dir, Options{Columns: trainingset.Context, Replace: true})
	require.NoError(t, err)
	m, err = trainingset.ReadManifest(b.dir)
	require.NoError(t, err)
	require.Equal(t, second.Manifest, m)
	require.Equal(t, []string{"set"}, filesIn(t, filepath.Dir(b.dir)))
}

func TestWhatIsNoExportIsNeverReplaced(t *testing.T) {
	t.Parallel()
	b := setup(t)
	home := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(home, "thesis.tex"), nil, 0o600))
	_, err := Run(t.Context(), b.reader, home, Options{Replace: true})
	require.ErrorIs(t, err, trainingset.ErrNoManifest)
	require.Equal(t, []string{"thesis.tex"}, filesIn(t, home))

	_, err = Run(t.Context(), b.reader, b.dir, Options{})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(b.dir, "notes.txt"), nil, 0o600))
	_, err = Run(t.Context(), b.reader, b.dir, Options{Replace: true})
	require.ErrorContains(t, err, "it holds what is not of the export: notes.txt")
	require.FileExists(t, filepath.Join(b.dir, "notes.txt"))

	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err = Run(t.Context(), b.reader, file, Options{Replace: true})
	require.ErrorContains(t, err, "make the folder "+file)
}

func TestFoldersWithoutExchangeAreReplacedInTwoSteps(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	from, to := filepath.Join(dir, "new"), filepath.Join(dir, "old")
	for _, path := range []string{from, to} {
		require.NoError(t, os.Mkdir(path, 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(path, filepath.Base(path)), nil, 0o600))
	}
	require.NoError(t, moveAside(from, to))
	require.Equal(t, []string{"new"}, filesIn(t, to))
	require.Equal(t, []string{"old"}, filesIn(t, from))

	err := moveAside(filepath.Join(dir, "missing"), to)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.Equal(t, []string{"new"}, filesIn(t, to), "put back")
}

func TestFolderWithAWildcardInItsNameIsJustAName(t *testing.T) {
	t.Parallel()
	parent := filepath.Join(t.TempDir(), "a[b]*")
	f, err := makeFolder(filepath.Join(parent, "set"), false)
	require.NoError(t, err)
	f.lock.Release() // as if killed
	f, err = makeFolder(filepath.Join(parent, "other"), false)
	require.NoError(t, err)
	f.abandon()
	require.Empty(t, filesIn(t, parent))
}
