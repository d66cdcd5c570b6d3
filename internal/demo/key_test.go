package demo

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// A demo that finds the file must find the key in it, whoever makes it.
func TestDemosThatStartAtOnceShareOneWholeKey(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "vm-id.key")
	keys := make([]string, 16)
	var starting sync.WaitGroup
	for i := range keys {
		starting.Go(func() {
			file, err := keyFile(path)
			if err != nil {
				t.Error(err)
				return
			}
			key, err := os.ReadFile(file)
			if err != nil {
				t.Error(err)
			}
			keys[i] = string(key)
		})
	}
	starting.Wait()
	require.Regexp(t, "^[0-9a-f]{64}\n$", keys[0])
	for _, key := range keys {
		require.Equal(t, keys[0], key)
	}
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, entries, 1, "nothing half-made is left")
}

func TestEveryRunHasAFolderOfItsOwn(t *testing.T) {
	t.Parallel()
	work := t.TempDir()
	one, err := newRunDir(work)
	require.NoError(t, err)
	other, err := newRunDir(work)
	require.NoError(t, err)
	require.NotEqual(t, one, other)
	info, err := os.Stat(one)
	require.NoError(t, err)
	require.Equal(t, os.ModeDir|0o700, info.Mode())
}
