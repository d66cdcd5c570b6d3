package localpg

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const stranger = 54321 // a uid that is nobody's here

func TestFolderThatIsNotOursIsRefused(t *testing.T) {
	a := testAccount(t)
	for _, tc := range []struct {
		name, want string
		make       func(path string) error
	}{
		{"open to others", "with mode 0755", func(path string) error { return os.Mkdir(path, 0o755) }},
		{"symlink", "something else is there", func(path string) error { return os.Symlink(t.TempDir(), path) }},
		{"file", "something else is there", func(path string) error { return os.WriteFile(path, nil, 0o700) }},
		{"another's", "got uid 54321", func(path string) error {
			if err := os.Mkdir(path, 0o700); err != nil || os.Geteuid() != 0 {
				return err
			}
			return os.Chown(path, stranger, stranger)
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := filepath.Join(openFolder(t), "sockets")
			require.NoError(t, tc.make(path))
			if tc.name == "another's" && os.Geteuid() != 0 {
				a.uid = stranger - 1 // only root can give a folder away; be somebody else instead
				assert.ErrorContains(t, makePrivate(path, a), "must belong to uid 54320")
				return
			}
			assert.ErrorContains(t, makePrivate(path, a), tc.want)
		})
	}
}

func TestServerDoesNotStartInAForeignSocketFolder(t *testing.T) {
	dir := openFolder(t)
	first := startServer(t, Config{Dir: dir})
	require.NoError(t, first.Stop())
	require.NoError(t, os.Mkdir(first.SocketDir(), 0o777))
	require.NoError(t, os.Chmod(first.SocketDir(), 0o777))
	defer os.Remove(first.SocketDir())

	_, err := tryStart(t, Config{Dir: dir})
	assert.ErrorContains(t, err, "prepare the socket folder: folder "+first.SocketDir())
	assert.ErrorContains(t, err, "with mode 0777")
	assert.NoFileExists(t, filepath.Join(first.DataDir(), pidFileName))
}

func TestSocketPathStaysShortUnderALongTMPDIR(t *testing.T) {
	t.Setenv("TMPDIR", filepath.Join(os.TempDir(), strings.Repeat("long/", 20)))
	assert.Equal(t, "/tmp", shortTempFolder(testAccount(t)))
	t.Setenv("TMPDIR", "relative")
	assert.Equal(t, "/tmp", shortTempFolder(testAccount(t)))
}

func TestDataThatTheServersUserCannotReachGoesElsewhere(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root's server runs as another user")
	}
	dir := t.TempDir() // mode 0700, root's
	s := startServer(t, Config{Dir: dir})
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(filepath.Join(stateFolder, hash(dir)))) })

	assert.True(t, strings.HasPrefix(s.DataDir(), stateFolder+"/"+hash(dir)+"/"), s.DataDir())
	note, err := os.ReadFile(filepath.Join(dir, pointerFile))
	require.NoError(t, err)
	assert.Equal(t, filepath.Dir(s.DataDir())+"\n", string(note))
	execute(t, s.AdminURL("postgres"), makeNote)
	require.NoError(t, s.Stop())

	again := startServer(t, Config{Dir: dir})
	assert.Equal(t, s.DataDir(), again.DataDir())
	assert.Equal(t, "kept", query(t, again.AdminURL("postgres"), readNote))
}
