package localpg

import (
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// Everything this package promises to root it promises to an ordinary user, so
// root runs all the tests a second time as nobody.
func TestEverythingHoldsForAnOrdinaryUserToo(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("we are an ordinary user")
	}
	nobody, err := user.Lookup("nobody")
	require.NoError(t, err)
	a, err := accountOf(nobody)
	require.NoError(t, err)
	home := openFolder(t)
	require.NoError(t, os.Chown(home, int(a.uid), int(a.gid)))
	program := filepath.Join(home, "localpg.test") // go test's own folder is closed to others
	copySelf(t, program)

	tests := exec.Command(program, "-test.v=true", "-test.skip=TestDownloadedPostgreSQLRuns")
	tests.Dir = home
	tests.Env = append(os.Environ(), "HOME="+home, "XDG_CACHE_HOME=", "TMPDIR=")
	tests.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: a.uid, Gid: a.gid, Groups: a.groups}}
	output, err := tests.CombinedOutput()
	if err != nil {
		t.Errorf("the tests as nobody: %v\n%s", err, output)
	}
	require.Contains(t, string(output), "--- PASS: TestServerAnswersOnItsSocketAndNowhereElse")
}

func copySelf(t *testing.T, to string) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	from, err := os.Open(self)
	require.NoError(t, err)
	defer from.Close()
	file, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	require.NoError(t, err)
	_, err = io.Copy(file, from)
	require.NoError(t, err)
	require.NoError(t, file.Close())
}
