package faults

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/collector"
)

// machine is a collector that may die and come back.
type machine struct {
	*rig
	process atomic.Pointer[collector.Process] // the one that runs, or ran last
	options collector.Options
	lives   strings.Builder // the logs of its earlier lives
}

// quicker shortens what the tests would only wait for.
const quicker = `exporters:
  pgtelemetry:
    retry_on_failure: {max_interval: 1s}
`

// overlays are those named and then files with these texts.
func (r *rig) overlays(named []string, texts ...string) []string {
	dir := r.TempDir()
	all := slices.Clone(named)
	for i, text := range texts {
		path := filepath.Join(dir, fmt.Sprintf("overlay-%d.yaml", i))
		require.NoError(r, os.WriteFile(path, []byte(text), 0o600))
		all = append(all, path)
	}
	return all
}

func newMachine(r *rig, options collector.Options) *machine {
	m := &machine{rig: r, options: options}
	m.options.Env = append(m.options.Env, r.env...)
	m.options.Flags = []string{"--feature-gates", "extension.healthcheck.useComponentStatus"}
	m.start()
	r.Cleanup(func() {
		err := m.process.Load().Stop()
		if r.Failed() {
			r.Logf("the end of the collector's log:\n%s", tail(m.log(), 60))
		}
		require.NoError(r, err)
	})
	return m
}

// start starts it and waits until it is ready.
func (m *machine) start() {
	m.Helper()
	process, err := collector.Start(m.Context(), m.options)
	require.NoError(m, err)
	m.process.Store(process)
}

// launch starts it and does not wait.
func (m *machine) launch() {
	m.Helper()
	process, err := collector.Launch(m.options)
	require.NoError(m, err)
	m.process.Store(process)
}

// end sends a signal and waits until the process is gone.
func (m *machine) end(signal syscall.Signal) {
	m.Helper()
	process := m.process.Load()
	require.NoError(m, process.Signal(signal))
	select {
	case <-process.Exited():
	case <-time.After(waitLimit):
		require.Fail(m, "the collector does not end", signal.String())
	}
	m.lives.WriteString(process.Log())
}

// log is all that it has logged, in all its lives.
func (m *machine) log() string {
	process := m.process.Load()
	select {
	case <-process.Exited():
		return m.lives.String()
	default:
		return m.lives.String() + process.Log()
	}
}

// health is the body of its health check.
func (m *machine) health() string { return m.get(m.process.Load().Health, "/") }

// metric is the sum of a metric over its labels that hold all of the given
// text; 0 where there is none.
func (m *machine) metric(name string, labels ...string) (sum float64) {
	m.Helper()
	body := m.get(m.process.Load().Metrics, "/metrics")
	for _, line := range regexp.MustCompile(`(?m)^`+name+`(?:\{(.*)\})? (\S+)$`).FindAllStringSubmatch(body, -1) {
		if holdsAll(line[1], labels) {
			value, err := strconv.ParseFloat(line[2], 64)
			require.NoError(m, err)
			sum += value
		}
	}
	return sum
}

func holdsAll(text string, parts []string) bool {
	for _, part := range parts {
		if !strings.Contains(text, part) {
			return false
		}
	}
	return true
}

// get returns "" where nobody answers: a test that waits asks again.
func (m *machine) get(address, path string) string {
	request, err := http.NewRequestWithContext(m.Context(), http.MethodGet, "http://"+address+path, nil)
	require.NoError(m, err)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return ""
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return ""
	}
	return string(body)
}

func tail(text string, lines int) string {
	all := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
