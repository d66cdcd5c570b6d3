package filelock_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/filelock"
)

func TestOnlyOneHoldsTheLock(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.lock")
	for range 2 { // it is free again after its use
		held, err := filelock.Take(t.Context(), path)
		require.NoError(t, err)
		other, err := filelock.Try(path)
		require.NoError(t, err)
		require.Nil(t, other)
		held.Release()
	}
	again, err := filelock.Try(path)
	require.NoError(t, err)
	require.NotNil(t, again)
	again.Release()
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.lock")
	held, err := filelock.Take(t.Context(), path)
	require.NoError(t, err)
	defer held.Release()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = filelock.Take(ctx, path)
	require.ErrorIs(t, err, context.Canceled)
}

func TestASymbolicLinkIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.Symlink(filepath.Join(dir, "target"), filepath.Join(dir, "a.lock")))
	_, err := filelock.Take(t.Context(), filepath.Join(dir, "a.lock"))
	require.ErrorContains(t, err, "open lock")
	require.NoFileExists(t, filepath.Join(dir, "target"))
}

func TestReleasingNoLockDoesNothing(t *testing.T) {
	t.Parallel()
	var none *filelock.Lock
	none.Release()
}
