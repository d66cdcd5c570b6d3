package locked

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/collector"
	"github.com/novacron/dwcp-telemetry/internal/needtest"
)

// commands are the blocks of docs/security.md, as a reader would copy them; those
// that start the collector have it started by the test.
func commands(t *testing.T) (blocks []string) {
	t.Helper()
	root, err := collector.Root()
	require.NoError(t, err)
	page, err := os.ReadFile(filepath.Join(root, "docs", "security.md"))
	require.NoError(t, err)
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(page), -1) {
		// The page's collector has a name of its own.
		text := strings.ReplaceAll(block[1], "collector.example.com", "localhost")
		blocks = append(blocks, regexp.MustCompile(`(?m)^bin/otelcol-dwcp .*$`).ReplaceAllString(text, "env"))
	}
	require.Len(t, blocks, 4)
	return blocks
}

// sh runs a block in a folder and returns the environment that it leaves, where
// it starts the collector or ends.
func sh(t *testing.T, dir, block string) map[string]string {
	t.Helper()
	cmd := exec.Command("sh", "-euc", block+"\nenv")
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir}
	output, err := cmd.Output()
	require.NoError(t, err)
	environment := map[string]string{}
	for line := range strings.Lines(string(output)) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		if strings.HasPrefix(name, "DWCP_") || strings.HasPrefix(name, "OTEL_") {
			environment[name] = value
		}
	}
	return environment
}

func TestWhatTheSecurityPageTellsToDoWorks(t *testing.T) {
	needtest.Program(t, "apt-get install openssl", "openssl")
	blocks, dir := commands(t), t.TempDir()
	sh(t, dir, blocks[0])
	server, client := sh(t, dir, blocks[1]), sh(t, dir, blocks[2])
	sh(t, dir, blocks[3])

	for _, overlays := range [][]string{{tlsOverlay}, {tlsOverlay, tokenOverlay}} {
		s := newSite(t, "", overlays...)
		for _, name := range []string{"DWCP_TLS_CERT", "DWCP_TLS_KEY", "DWCP_TLS_CLIENT_CA"} {
			require.FileExists(t, server[name])
			s.options.Env = append(s.options.Env, name+"="+server[name])
		}
		tokens := filepath.Join(dir, "tokens")
		s.options.Env = append(s.options.Env, "DWCP_OTLP_TOKEN_FILE="+tokens)
		s.start(t)
		_, port, _ := strings.Cut(s.GRPC, ":")
		client["OTEL_EXPORTER_OTLP_ENDPOINT"] = "https://localhost:" + port
		if len(overlays) == 2 {
			delete(client, "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE")
			delete(client, "OTEL_EXPORTER_OTLP_CLIENT_KEY")
			client["DWCP_OTLP_TOKEN_FILE"] = tokens
		}
		r, _ := s.recorder(t, client)
		record(t, r, 3)
		flush(t, r)
		s.requireStored(t, 3)
		shutdown(r)
	}
}
