package localpg

import (
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	makeNote = "CREATE TABLE note AS SELECT 'kept' AS text"
	readNote = "SELECT text FROM note"
)

func TestRestartKeepsDataAndURL(t *testing.T) {
	s := startServer(t, Config{})
	url, pid := s.AdminURL("postgres"), s.PID()
	execute(t, url, makeNote)
	require.NoError(t, s.Restart(t.Context()))
	assert.NotEqual(t, pid, s.PID())
	assert.Equal(t, "kept", query(t, url, readNote))
}

func TestRestartRecoversAKilledServer(t *testing.T) {
	s := startServer(t, Config{})
	url := s.AdminURL("postgres")
	execute(t, url, makeNote)
	for range 3 {
		require.NoError(t, s.Signal(syscall.SIGKILL))
		require.NoError(t, s.Restart(t.Context()))
		assert.Equal(t, "kept", query(t, url, readNote))
	}
}

func TestSecondStartRecoversAKilledServer(t *testing.T) {
	dir := openFolder(t)
	first := startServer(t, Config{Dir: dir})
	execute(t, first.AdminURL("postgres"), makeNote)
	require.NoError(t, first.Signal(syscall.SIGKILL))
	<-first.process.done
	require.FileExists(t, filepath.Join(first.DataDir(), pidFileName))

	second := startServer(t, Config{Dir: dir})
	assert.False(t, second.Adopted())
	assert.Equal(t, "kept", query(t, second.AdminURL("postgres"), readNote))
}

func TestRunningServerIsUsedAndLeftRunning(t *testing.T) {
	dir := openFolder(t)
	first := startServer(t, Config{Dir: dir})
	second := startServer(t, Config{Dir: dir})
	assert.True(t, second.Adopted())
	assert.Equal(t, first.PID(), second.PID())
	assert.Equal(t, first.Version(), second.Version())
	require.NoError(t, second.Stop())
	assert.Equal(t, "1", query(t, first.AdminURL("postgres"), "SELECT '1'"))
	assert.Error(t, second.Restart(t.Context()))
}

func TestRunningServerIsFoundThoughTMPDIRHasChanged(t *testing.T) {
	dir := openFolder(t)
	first := startServer(t, Config{Dir: dir})
	t.Setenv("TMPDIR", openFolder(t))
	second := startServer(t, Config{Dir: dir})
	assert.True(t, second.Adopted())
	assert.Equal(t, first.AdminURL("postgres"), second.AdminURL("postgres"))
}

func TestStartsAtOnceShareOneServer(t *testing.T) {
	dir := openFolder(t)
	servers := make([]*Server, 4)
	var group sync.WaitGroup
	for i := range servers {
		group.Go(func() { servers[i], _ = tryStart(t, Config{Dir: dir}) })
	}
	group.Wait()
	owners := 0
	for _, s := range servers {
		require.NotNil(t, s)
		assert.Equal(t, servers[0].PID(), s.PID())
		if !s.Adopted() {
			owners++
			defer func() { assert.NoError(t, s.Stop()) }()
		}
	}
	assert.Equal(t, 1, owners)
}

func TestUnfinishedDataFolderIsMadeAnew(t *testing.T) {
	dir := openFolder(t)
	first := startServer(t, Config{Dir: dir})
	require.NoError(t, first.Stop())
	// What a run leaves that was killed during initdb.
	require.NoError(t, os.Rename(first.DataDir(), first.DataDir()+".unfinished"))
	require.NoError(t, os.Remove(filepath.Join(first.DataDir()+".unfinished", "global", "pg_control")))
	second := startServer(t, Config{Dir: dir})
	assert.Equal(t, "1", query(t, second.AdminURL("postgres"), "SELECT '1'"))
	assert.NoDirExists(t, first.DataDir()+".unfinished")
}

func TestProcessIDUsedAgainIsNotTakenForTheServer(t *testing.T) {
	dir := openFolder(t)
	running := pidFile{pid: os.Getpid()}
	if isFolder("/proc/self") {
		assert.False(t, running.alive(dir))
		t.Chdir(dir)
	}
	assert.True(t, running.alive(dir))
}
