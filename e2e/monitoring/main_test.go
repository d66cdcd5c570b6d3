package monitoring

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/novacron/dwcp-telemetry/internal/collector"
	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
	"github.com/novacron/dwcp-telemetry/internal/needtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// file is the path of one of the project's.
func file(t *testing.T, elements ...string) string {
	t.Helper()
	root, err := collector.Root()
	require.NoError(t, err)
	return filepath.Join(append([]string{root}, elements...)...)
}

func read(t *testing.T, elements ...string) []byte {
	t.Helper()
	content, err := os.ReadFile(file(t, elements...))
	require.NoError(t, err)
	return content
}

// readYAML refuses keys that into does not have.
func readYAML(t *testing.T, into any, elements ...string) {
	t.Helper()
	opened, err := os.Open(file(t, elements...))
	require.NoError(t, err)
	defer func() { _ = opened.Close() }()
	decoder := yaml.NewDecoder(opened)
	decoder.KnownFields(true)
	require.NoError(t, decoder.Decode(into), elements)
}

// program finds prometheus or promtool: in the folder that DWCP_PROMETHEUS_BIN
// names, else on the PATH.
func program(t *testing.T, name string) string {
	t.Helper()
	if dir := os.Getenv("DWCP_PROMETHEUS_BIN"); dir != "" {
		name = filepath.Join(dir, name)
	}
	return needtest.Program(t, "apt-get install prometheus, or name its folder by DWCP_PROMETHEUS_BIN", name)
}

// write puts text into a file of its own.
func write(t *testing.T, name, text string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}
