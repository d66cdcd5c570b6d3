package pgtelemetry

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// ownerOf is whom a folder belongs to; PostgreSQL's own is not ours where we are
// root.
func ownerOf(t *testing.T, folder string) *syscall.Stat_t {
	t.Helper()
	info, err := os.Stat(folder)
	require.NoError(t, err)
	return info.Sys().(*syscall.Stat_t)
}

// putOwned writes a file into a folder of PostgreSQL's, whose own it must be.
func putOwned(t *testing.T, path string, content []byte) {
	t.Helper()
	owner := ownerOf(t, filepath.Dir(path))
	require.NoError(t, os.WriteFile(path+".new", content, 0o600))
	require.NoError(t, os.Chown(path+".new", int(owner.Uid), int(owner.Gid)))
	require.NoError(t, os.Rename(path+".new", path))
}
