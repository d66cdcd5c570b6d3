package localpg

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The test binary, run again with envOwner, is a program that starts a server
// and is then killed.
const (
	envOwner = "DWCP_TEST_OWNER" // "keep" or "die"
	envDir   = "DWCP_TEST_DIR"
)

func TestMain(m *testing.M) {
	if mode := os.Getenv(envOwner); mode != "" {
		ownServer(mode == "keep")
	}
	os.Exit(m.Run())
}

func ownServer(keep bool) {
	source, _ := SourceFromEnv()
	s, err := Start(context.Background(), Config{Source: source, Dir: os.Getenv(envDir), KeepRunning: keep, FastUnsafe: true})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(s.PID(), s.SocketDir())
	_, _ = io.Copy(io.Discard, os.Stdin) // until killed
	os.Exit(0)
}

// killedOwner runs an owner, kills it with SIGKILL and returns the pid and the
// socket folder of the server it had started.
func killedOwner(t *testing.T, mode, dir string) (pid int, sockets string) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	owner := exec.Command(self)
	owner.Env = append(os.Environ(), envOwner+"="+mode, envDir+"="+dir)
	_, err = owner.StdinPipe()
	require.NoError(t, err)
	out, err := owner.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, owner.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err, line)
	number, sockets, found := strings.Cut(strings.TrimSpace(line), " ")
	require.True(t, found, line)
	pid, err = strconv.Atoi(number)
	require.NoError(t, err, line)
	require.NoError(t, owner.Process.Kill())
	_ = owner.Wait()
	return pid, sockets
}

func TestStartWorksRightAfterTheOwnerWasKilled(t *testing.T) {
	dir := openFolder(t)
	pid, _ := killedOwner(t, "die", dir)
	s := startServer(t, Config{Dir: dir}) // while the other one is ending
	assert.Equal(t, "1", query(t, s.AdminURL("postgres"), "SELECT '1'"))
	if runtime.GOOS == "linux" && s.Adopted() {
		t.Errorf("server %d outlived its owner", pid)
	}
}

func TestServerEndsWithItsKilledOwner(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells a child that its parent has ended")
	}
	t.Setenv("TMPDIR", openFolder(t)) // where no other test sweeps
	pid, sockets := killedOwner(t, "die", "")
	assert.Eventually(t, func() bool { return !isRunning(pid) }, time.Minute, 20*time.Millisecond)

	left := filepath.Dir(sockets)
	assert.Equal(t, os.Getenv("TMPDIR"), filepath.Dir(left))
	assert.DirExists(t, left)
	startServer(t, Config{})
	assert.NoDirExists(t, left, "the next start removes what the killed one could not")
}

func TestSweepSparesServersInUse(t *testing.T) {
	inUse := startServer(t, Config{})
	kept := startServer(t, Config{KeepRunning: true})
	sweep(shortTempFolder(testAccount(t)), testAccount(t))
	assert.Equal(t, "1", query(t, inUse.AdminURL("postgres"), "SELECT '1'"))
	assert.Equal(t, "1", query(t, kept.AdminURL("postgres"), "SELECT '1'"))
}

func TestKeptServerOutlivesItsKilledOwnerAndIsUsedAgain(t *testing.T) {
	dir := openFolder(t)
	pid, sockets := killedOwner(t, "keep", dir)
	time.Sleep(200 * time.Millisecond) // were it to die, it would by now
	s := startServer(t, Config{Dir: dir})
	assert.Equal(t, pid, s.PID())
	assert.Equal(t, sockets, s.SocketDir())
	assert.True(t, s.Adopted())

	require.NoError(t, s.Signal(syscall.SIGINT))
	assert.Eventually(t, func() bool { return !isRunning(pid) }, time.Minute, 20*time.Millisecond)
	assert.NoError(t, os.RemoveAll(sockets))
}
