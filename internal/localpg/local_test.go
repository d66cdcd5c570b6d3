package localpg

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// openFolder is a temporary folder that the server's user can reach, which
// t.TempDir is not for root.
func openFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp(shortTempFolder(testAccount(t)), "dwcp-test-") //nolint:usetesting // see above
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o755))
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(dir)) })
	return dir
}

func testAccount(t *testing.T) account {
	t.Helper()
	a, err := serverAccount()
	require.NoError(t, err)
	return a
}

func writeProgram(t *testing.T, path, output string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	script := fmt.Sprintf("#!/bin/sh\necho '%s'\n", output)
	require.NoError(t, os.WriteFile(path, []byte(script), 0o755))
}

func TestBinariesThatPgConfigNamesAreFoundFirst(t *testing.T) {
	dir := openFolder(t)
	server := filepath.Join(dir, "server")
	writeProgram(t, filepath.Join(server, "initdb"), "")
	writeProgram(t, filepath.Join(server, "postgres"), "postgres (PostgreSQL) 99.1 (Debian 99.1-1)")
	writeProgram(t, filepath.Join(dir, "pg_config"), server)
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))

	found, err := findLocal(t.Context(), testAccount(t))
	require.NoError(t, err)
	assert.Equal(t, binaries{dir: server, version: "99.1", major: 99}, found)
}

func TestLinkInPathLeadsToTheFolderItPointsInto(t *testing.T) {
	dir := openFolder(t)
	server := filepath.Join(dir, "server")
	writeProgram(t, filepath.Join(server, "postgres"), "postgres (PostgreSQL) 99.1")
	require.NoError(t, os.Symlink(filepath.Join(server, "postgres"), filepath.Join(dir, "postgres")))
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))

	dirs := candidates(t.Context(), testAccount(t))
	assert.Contains(t, dirs, nearestExisting(server))
	assert.NotContains(t, dirs, dir)
}

func TestNewestVersionComesFirst(t *testing.T) {
	dir := openFolder(t)
	for _, version := range []string{"9.6", "17", "15"} {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, "v"+version), 0o755))
	}
	// The folder's own name has digits too, but the same for all.
	t.Chdir(dir)
	assert.Equal(t, []string{"v17", "v15", "v9.6"}, newestFirst("v*"))
}

func TestUnusableBinariesAreRefusedWithTheReason(t *testing.T) {
	dir := openFolder(t)
	for _, tc := range []struct{ name, initdb, postgres, want string }{
		{name: "client-only", want: "no initdb in it"},
		{name: "old", initdb: "x", postgres: "postgres (PostgreSQL) 14.18", want: "is version 14.18, must be 15 or later"},
		{name: "other", initdb: "x", postgres: "hello", want: `postgres --version says "hello\n"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			folder := filepath.Join(dir, tc.name)
			require.NoError(t, os.Mkdir(folder, 0o755))
			if tc.initdb != "" {
				writeProgram(t, filepath.Join(folder, "initdb"), tc.initdb)
				writeProgram(t, filepath.Join(folder, "postgres"), tc.postgres)
			}
			_, err := inspect(t.Context(), folder, testAccount(t))
			assert.EqualError(t, err, folder+": "+tc.want)
		})
	}
}

func TestBinariesThatTheServersUserCannotRunAreRefused(t *testing.T) {
	dir := openFolder(t)
	writeProgram(t, filepath.Join(dir, "initdb"), "")
	writeProgram(t, filepath.Join(dir, "postgres"), "postgres (PostgreSQL) 99.1")
	require.NoError(t, os.Chmod(filepath.Join(dir, "postgres"), 0o600))
	_, err := inspect(t.Context(), dir, testAccount(t))
	assert.ErrorContains(t, err, "permission denied")
}

func TestWhereThereIsNothingTheErrorSaysWhatToInstall(t *testing.T) {
	err := unavailable(Auto, []error{attempt("on this machine", os.ErrNotExist), attempt("download", errUnreachable)})
	assert.ErrorIs(t, err, ErrUnavailable)
	assert.EqualError(t, err, "no PostgreSQL server to be had (auto)\n"+
		"  on this machine: file does not exist\n"+
		"  download: the download server cannot be reached\n"+
		"install it with: "+installCommand())
}
