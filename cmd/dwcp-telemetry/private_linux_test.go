package main_test

import (
	"bufio"
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
)

// left returns the command lines of what still runs in the tests' project, or
// was started with a path in it.
func left(t *testing.T) (found []string) {
	t.Helper()
	processes, err := filepath.Glob("/proc/[0-9]*")
	require.NoError(t, err)
	for _, process := range processes {
		line, _ := os.ReadFile(filepath.Join(process, "cmdline")) // nothing where it has just ended
		dir, _ := os.Readlink(filepath.Join(process, "cwd"))
		if bytes.Contains(line, []byte(project)) || strings.HasPrefix(dir, project) {
			found = append(found, string(bytes.ReplaceAll(line, []byte{0}, []byte{' '})))
		}
	}
	return found
}

// interrupt runs a demo and sends it Ctrl-C's signal once it has told a line.
func interrupt(t *testing.T, moment string) string {
	t.Helper()
	cmd := command(t, nil, "demo", "--decisions", "1000000")
	output, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	var all strings.Builder
	for lines := bufio.NewScanner(output); lines.Scan(); {
		all.WriteString(lines.Text() + "\n")
		if strings.HasPrefix(lines.Text(), moment) {
			require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
		}
	}
	require.Error(t, cmd.Wait())
	require.Equal(t, 2, cmd.ProcessState.ExitCode(), all.String())
	return all.String()
}

func TestCtrlCStopsAllThatTheDemoStarted(t *testing.T) {
	for _, moment := range []string{"… starting PostgreSQL", "… building the collector", "… starting the collector", "… replaying"} {
		t.Run(moment, func(t *testing.T) {
			told := interrupt(t, moment)
			require.True(t, strings.HasSuffix(told, "\ndwcp-telemetry: interrupted\n"), told)
			require.Empty(t, left(t))
		})
	}
}

func TestASecondRunUsesWhatTheFirstOneMade(t *testing.T) {
	demo(t, nil, "--decisions", "30")
	require.Empty(t, left(t))
	key, err := os.ReadFile(filepath.Join(project, ".dwcp", "vm-id.key"))
	require.NoError(t, err)
	told, r := demo(t, nil, "--decisions", "40")
	require.Equal(t, int64(40), r.Written)
	require.Contains(t, told, ", 0 migrations applied")
	require.Empty(t, left(t))
	again, err := os.ReadFile(filepath.Join(project, ".dwcp", "vm-id.key"))
	require.NoError(t, err)
	require.Equal(t, key, again)
	require.Contains(t, succeed(t, nil, "status"), "written")
	require.Empty(t, left(t), "status stops the private PostgreSQL")
}

// What demo --keep prints, a person copies.
func TestWhatIsKeptCanBeReachedAndStoppedAsPrinted(t *testing.T) {
	told, r := demo(t, nil, "--keep", "--decisions", "30")
	t.Cleanup(func() {
		for range left(t) { // the test has failed before it stopped them
			_ = exec.Command("sh", "-c", r.Kept.StopWith).Run()
			return
		}
	})
	for _, shown := range []string{r.Kept.OTLP, r.Kept.Metrics, r.Kept.Psql, r.Kept.ReplayWith, r.Kept.StopWith} {
		require.Contains(t, told, "  "+shown+"\n")
	}
	response, err := http.Get(r.Kept.Metrics)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusOK, response.StatusCode)

	url := regexp.MustCompile(`^psql '(.*)'$`).FindStringSubmatch(r.Kept.Psql)
	require.NotNil(t, url, r.Kept.Psql)
	conn := pgtest.Connect(t, url[1])
	defer os.RemoveAll(conn.Config().Host) // the socket's folder, which only a Stop would remove
	before := value[int](t, conn, "SELECT count(*) FROM compression_telemetry")

	file := writeFile(t, lines(5)...)
	replay := strings.NewReplacer("go run ./cmd/dwcp-telemetry", program, "FILE", file).Replace(r.Kept.ReplayWith)
	output, err := exec.CommandContext(t.Context(), "sh", "-c", replay).CombinedOutput()
	require.NoError(t, err, string(output))
	require.Eventually(t, func() bool {
		return value[int](t, conn, "SELECT count(*) FROM compression_telemetry") == before+5
	}, time.Minute, 20*time.Millisecond)

	_, again := demo(t, nil, "--decisions", "20") // beside it
	require.Equal(t, int64(20), again.Written)
	require.Equal(t, before+25, value[int](t, conn, "SELECT count(*) FROM compression_telemetry"), "PostgreSQL still runs")
	require.NoError(t, conn.Close(t.Context()))

	output, err = exec.CommandContext(t.Context(), "sh", "-c", r.Kept.StopWith).CombinedOutput()
	require.NoError(t, err, string(output))
	require.Eventually(t, func() bool { return len(left(t)) == 0 }, time.Minute, 20*time.Millisecond, fmt.Sprint(left(t)))
}
