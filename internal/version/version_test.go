package version

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// clone is a repository of one commit with the script in it.
type clone struct {
	t   *testing.T
	dir string
}

func newClone(t *testing.T) clone {
	t.Helper()
	c := clone{t, t.TempDir()}
	script, err := os.ReadFile("../../scripts/version.sh")
	require.NoError(t, err)
	require.NoError(t, os.Mkdir(filepath.Join(c.dir, "scripts"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(c.dir, "scripts", "version.sh"), script, 0o600))
	return c
}

func (c clone) git(args ...string) string {
	c.t.Helper()
	cmd := exec.CommandContext(c.t.Context(), "git", append([]string{"-c", "user.name=t", "-c", "user.email=t@t"}, args...)...)
	cmd.Dir = c.dir
	output, err := cmd.CombinedOutput()
	require.NoError(c.t, err, "%s", output)
	return strings.TrimSpace(string(output))
}

func (c clone) commit(message string) (short string) {
	c.t.Helper()
	c.git("add", "--all")
	c.git("commit", "--quiet", "--allow-empty", "--message", message)
	return c.git("rev-parse", "--short", "HEAD")
}

func (c clone) version(env ...string) string {
	c.t.Helper()
	cmd := exec.CommandContext(c.t.Context(), "sh", filepath.Join(c.dir, "scripts", "version.sh"))
	cmd.Env = append(append(os.Environ(), "DWCP_BUILD_VERSION=", "GIT_CEILING_DIRECTORIES="+filepath.Dir(c.dir)), env...)
	output, err := cmd.CombinedOutput()
	require.NoError(c.t, err, "%s", output)
	return strings.TrimSpace(string(output))
}

func TestTheVersionIsThatOfTheTag(t *testing.T) {
	t.Parallel()
	c := newClone(t)
	require.Equal(t, "0.0.0-devel", c.version(), "no repository")

	c.git("init", "--quiet")
	first := c.commit("first")
	require.Equal(t, "0.0.0-g"+first, c.version(), "no tag")

	c.git("tag", "nightly")
	require.Equal(t, "0.0.0-g"+first, c.version(), "a tag that is no version")
	c.git("tag", "v1.2.3")
	require.Equal(t, "1.2.3", c.version())

	second := c.commit("second")
	require.Equal(t, "1.2.3-1-g"+second, c.version(), "after the tag")

	require.NoError(t, os.WriteFile(filepath.Join(c.dir, "scripts", "version.sh"), append(c.script(), '\n'), 0o600))
	require.Equal(t, "1.2.3-1-g"+second+"-dirty", c.version(), "something is not committed")
	require.Equal(t, "2.0.0", c.version("DWCP_BUILD_VERSION=v2.0.0"), "told")
}

func (c clone) script() []byte {
	c.t.Helper()
	content, err := os.ReadFile(filepath.Join(c.dir, "scripts", "version.sh"))
	require.NoError(c.t, err)
	return content
}

func TestTheLinkedVersionComesFirst(t *testing.T) {
	require.Equal(t, "devel", String(), "a test binary has no version")
	linked = "1.2.3"
	t.Cleanup(func() { linked = "" })
	require.Equal(t, "1.2.3", String())
}
