package e2e

import (
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A loaded machine takes seconds for what takes milliseconds elsewhere.
const (
	waitLimit = 3 * time.Minute
	waitTick  = 20 * time.Millisecond
)

// run runs another command of the collector with the same configuration.
func run(t *testing.T, p *pipeline, command string) string {
	t.Helper()
	args := []string{command}
	for _, config := range p.options.Configs {
		args = append(args, "--config", config)
	}
	cmd := exec.Command(p.options.Binary, args...)
	cmd.Env = append(os.Environ(), p.options.Env...)
	output, err := cmd.CombinedOutput()
	require.NoError(t, err, string(output))
	return string(output)
}

// commandLine is what the process list shows of a process.
func commandLine(t *testing.T, pid int) string {
	t.Helper()
	output, err := exec.Command("ps", "-o", "args=", "-p", strconv.Itoa(pid)).Output()
	require.NoError(t, err)
	return string(output)
}

func get(t *testing.T, url string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return string(body)
}
