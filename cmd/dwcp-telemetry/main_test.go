package main_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/collector"
	"github.com/novacron/dwcp-telemetry/internal/localpg"
)

// What all tests share: the program, a project of their own to run it in, so
// that no demo of somebody else's is in the way, and a PostgreSQL.
var (
	program string
	project string
	server  *localpg.Server
)

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	// Not below TMPDIR: PostgreSQL's own user must get there.
	dir, err := os.MkdirTemp("/tmp", "dwcp-command-")
	if err == nil {
		defer os.RemoveAll(dir)
		err = prepare(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	if err := server.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

func prepare(dir string) error {
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	program, project = filepath.Join(dir, "dwcp-telemetry"), filepath.Join(dir, "project")
	if output, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, output)
	}
	if err := makeProject(); err != nil {
		return err
	}
	source, err := localpg.SourceFromEnv()
	if err != nil {
		return err
	}
	server, err = localpg.Start(context.Background(), localpg.Config{Source: source, FastUnsafe: true, Log: os.Stderr})
	return err
}

// makeProject makes a folder that builds the collector of this one.
func makeProject() error {
	root, err := collector.Root()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(project, "scripts"), 0o755); err != nil {
		return err
	}
	for _, name := range []string{"go.mod", "go.sum", "builder-config.yaml", "otelcol-config.yaml", "scripts/version.sh"} {
		content, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return err
		}
		content = bytes.ReplaceAll(content, []byte("    path: .\n"), []byte("    path: "+root+"\n"))
		if err := os.WriteFile(filepath.Join(project, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// database returns the URL of an empty database.
func database(t *testing.T) string {
	t.Helper()
	name := strings.ToLower(t.Name())
	require.NoError(t, server.CreateDatabase(t.Context(), name))
	return server.AdminURL(name)
}

// with is an environment with that database.
func with(url string) []string { return []string{"DWCP_DATABASE_URL=" + url} }

// withPassword puts a password into a URL.
func withPassword(t *testing.T, address, password string) string {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	u.User = url.UserPassword(u.User.Username(), password)
	return u.String()
}

func value[T any](t *testing.T, conn *pgx.Conn, sql string) (v T) {
	t.Helper()
	require.NoError(t, conn.QueryRow(t.Context(), sql).Scan(&v))
	return v
}

// result is how a run of the program ended.
type result struct {
	code           int
	stdout, stderr string
}

func (r result) both() string { return r.stdout + r.stderr }

// command is a run of the program in the tests' project. Of our environment it
// gets what is not about telemetry.
func command(t *testing.T, env []string, args ...string) *exec.Cmd {
	t.Helper()
	if source := os.Getenv(localpg.EnvSource); source != "" {
		args = append([]string{"--postgres", source}, args...)
	}
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = project
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "DWCP_") && !strings.HasPrefix(entry, "OTEL_") {
			cmd.Env = append(cmd.Env, entry)
		}
	}
	cmd.Env = append(cmd.Env, env...)
	return cmd
}

func execute(t *testing.T, env []string, args ...string) (r result) {
	t.Helper()
	cmd := command(t, env, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		require.NoError(t, err)
	}
	return result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// succeed runs the program and returns its standard output.
func succeed(t *testing.T, env []string, args ...string) string {
	t.Helper()
	r := execute(t, env, args...)
	require.Zero(t, r.code, r.both())
	return r.stdout
}

// failWith runs the program, which must exit with 2 and say so.
func failWith(t *testing.T, message string, env []string, args ...string) {
	t.Helper()
	r := execute(t, env, args...)
	require.Equal(t, 2, r.code, r.both())
	require.Contains(t, r.stderr, message)
}
