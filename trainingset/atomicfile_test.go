package trainingset

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func filesIn(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

// writeText writes the text and then ends with err.
func writeText(text string, err error) func(io.Writer) error {
	return func(w io.Writer) error {
		_, writeErr := io.WriteString(w, text)
		return errors.Join(writeErr, err)
	}
}

func TestFileAppearsWhenItIsComplete(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "set.csv")
	size, err := writeAtomically(path, func(w io.Writer) error {
		require.NoFileExists(t, path)
		return writeText("complete", nil)(w)
	})
	require.NoError(t, err)
	require.EqualValues(t, 8, size)
	require.Equal(t, []string{"set.csv"}, filesIn(t, dir))
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

func TestFailedWriteLeavesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	broken := errors.New("connection lost")
	_, err := writeAtomically(filepath.Join(dir, "set.csv"), writeText("half", broken))
	require.ErrorIs(t, err, broken)
	require.Empty(t, filesIn(t, dir))
}

func TestFailedWriteKeepsTheEarlierFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "set.csv")
	_, err := writeAtomically(path, writeText("earlier", nil))
	require.NoError(t, err)
	_, err = writeAtomically(path, writeText("half", errors.New("connection lost")))
	require.Error(t, err)
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "earlier", string(content))
	require.Equal(t, []string{"set.csv"}, filesIn(t, dir))

	_, err = writeAtomically(path, writeText("later", nil))
	require.NoError(t, err)
	content, err = os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "later", string(content))
}

func TestUnwritablePlaceIsNamed(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "missing", "set.csv")
	_, err := writeAtomically(path, writeText("", nil))
	require.ErrorContains(t, err, "create a file beside "+path)
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestNameTakenByAFolderIsAnError(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "set.csv")
	require.NoError(t, os.MkdirAll(filepath.Join(path, "full"), 0o700))
	_, err := writeAtomically(path, writeText("complete", nil))
	require.ErrorContains(t, err, "put "+path+" in place")
	require.Equal(t, []string{"set.csv"}, filesIn(t, dir))
}
