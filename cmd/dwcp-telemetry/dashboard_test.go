package main_test

import (
	"bufio"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

const dashboardToken = "a-token-of-more-than-thirty-two-characters"

// startDashboard returns the running command, where it says it is, and what it goes
// on to say.
func startDashboard(t *testing.T, env []string, args ...string) (cmd *exec.Cmd, url string, stdout *bufio.Reader, stderr *strings.Builder) {
	t.Helper()
	cmd = command(t, env, append([]string{"dashboard", "--metrics", "none"}, args...)...)
	pipe, err := cmd.StdoutPipe()
	require.NoError(t, err)
	stderr = &strings.Builder{}
	cmd.Stderr = stderr
	require.NoError(t, cmd.Start())
	stdout = bufio.NewReader(pipe)
	line, err := stdout.ReadString('\n')
	require.NoError(t, err, stderr)
	found := regexp.MustCompile(`^Dashboard of \S+ on \S+ \(DWCP_DATABASE_URL\): (http://\S+/) \(Ctrl-C ends it\)\n$`).FindStringSubmatch(line)
	require.NotNil(t, found, line)
	return cmd, found[1], stdout, stderr
}

// fetch returns status and body.
func fetch(t *testing.T, url, token string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	require.NoError(t, err)
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(body)
}

func TestTheDashboardServesUntilCtrlC(t *testing.T) {
	env := with(database(t))
	succeed(t, env, "migrate", "up")
	cmd, url, stdout, stderr := startDashboard(t, env, "--listen", "127.0.0.1:0")
	status, body := fetch(t, url+"snapshot", "")
	require.Equal(t, http.StatusOK, status, body)
	require.Contains(t, body, `"readable": true`)
	_, page := fetch(t, url, "")
	require.Contains(t, page, "Nothing has been loaded yet")

	looking, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"events", http.NoBody)
	require.NoError(t, err)
	stream, err := http.DefaultClient.Do(looking)
	require.NoError(t, err)
	defer stream.Body.Close()
	require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
	rest, err := io.ReadAll(stdout)
	require.NoError(t, err)
	require.NoError(t, cmd.Wait(), "who still looks does not hold it up: %s", stderr)
	require.Empty(t, rest)
	require.Empty(t, stderr.String())
}

func TestTheDashboardKeepsItsTokenToItself(t *testing.T) {
	env := append(with(database(t)), "DWCP_DASHBOARD_TOKEN="+dashboardToken, "DWCP_DASHBOARD=0.0.0.0:0")
	succeed(t, env, "migrate", "up")
	cmd, url, _, stderr := startDashboard(t, env)
	status, _ := fetch(t, url+"snapshot", "")
	require.Equal(t, http.StatusUnauthorized, status)
	status, body := fetch(t, url+"snapshot", dashboardToken)
	require.Equal(t, http.StatusOK, status)
	_, page := fetch(t, url, dashboardToken)
	require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
	require.NoError(t, cmd.Wait())
	require.Contains(t, stderr.String(), "the token travels in plaintext")
	require.NotContains(t, body+page+stderr.String(), dashboardToken)
}

func TestTheDashboardRefusesWhatIsNotSafeOrMakesNoSense(t *testing.T) {
	env := with("postgres://nobody@127.0.0.1:9/none")
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		return path
	}
	failWith(t, "--listen: 0.0.0.0:0 is not loopback: others can reach it, so it needs a token", env, "dashboard", "--listen", "0.0.0.0:0")
	failWith(t, "--token: must have at least 32 characters, got 5", env, "dashboard", "--token-file", file("short", "short\n"))
	failWith(t, "--token-file: "+filepath.Join(dir, "empty")+" is empty", env, "dashboard", "--token-file", file("empty", "\n"))
	failWith(t, "--token-file: open "+filepath.Join(dir, "missing"), env, "dashboard", "--token-file", filepath.Join(dir, "missing"))
	failWith(t, "--token-file: DWCP_DASHBOARD_TOKEN is set, too; only one of them",
		append(env, "DWCP_DASHBOARD_TOKEN="+dashboardToken), "dashboard", "--token-file", file("token", dashboardToken))
	failWith(t, "--interval: must be at least 200ms, got 1ms", env, "dashboard", "--interval", "1ms")
	failWith(t, "--metrics: must be a URL like http://127.0.0.1:8888/metrics", env, "dashboard", "--metrics", "gw1")
	failWith(t, "--tls-cert: goes together with tls-key", env, "dashboard", "--tls-cert", "cert.pem")
	failWith(t, `--retention: must be a whole number and a unit`, env, "dashboard", "--retention", "long")
	failWith(t, `--within: must be a whole number and a unit`, env, "dashboard", "--within", "soon")
	failWith(t, "dwcp-telemetry dashboard takes no arguments", env, "dashboard", "now")
}

func TestTheDashboardLooksForTheCollectorWhereItWasTold(t *testing.T) {
	for told, want := range map[string]string{
		"": "http://127.0.0.1:8888/metrics", "127.0.0.1:9100": "http://127.0.0.1:9100/metrics", "0.0.0.0:9100": "http://127.0.0.1:9100/metrics",
		":9100": "http://127.0.0.1:9100/metrics", "[::1]:9100": "http://[::1]:9100/metrics", "gw1:9100": "http://gw1:9100/metrics",
	} {
		require.Contains(t, succeed(t, []string{"DWCP_METRICS=" + told}, "dashboard", "--help"), "(default ["+want+"])")
	}
}
