package runbook

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/e2e/e2etest"
	"github.com/novacron/dwcp-telemetry/internal/collector"
	"github.com/novacron/dwcp-telemetry/internal/localpg"
	"github.com/novacron/dwcp-telemetry/internal/needtest"
)

// patience is for a machine that does much else.
const patience = 5 * time.Minute

func page(t *testing.T) string {
	t.Helper()
	root, err := collector.Root()
	require.NoError(t, err)
	content, err := os.ReadFile(filepath.Join(root, "docs", "runbook.md"))
	require.NoError(t, err)
	return string(content)
}

func TestEveryStepOfTheRunbookDoesWhatItSays(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"bash", "curl", "openssl", "psql", "pg_dump", "pg_dumpall", "pg_restore"} {
		needtest.Program(t, "apt-get install bash curl openssl postgresql-client", program)
	}
	steps := parse(page(t))
	require.True(t, strings.HasPrefix(steps[0].commands, "# settings\n"), "the first block is the settings")
	server := newServer(t)
	settings := fill(t, steps[0].commands, server)

	shell := newShell(t, settings)
	for i, s := range steps[1:] {
		switch s.act {
		case "PostgreSQL stops":
			require.NoError(t, server.Signal(syscall.SIGINT))
		case "PostgreSQL starts":
			require.NoError(t, server.Restart(t.Context()))
		case "":
			output, err := shell.run(s.commands)
			require.NoError(t, err, "block %d, %s:\n%s\nprinted:\n%s\nThe collector's log:\n%s", i+2, s.heading, s.commands, output, shell.file("collector.log"))
			require.Empty(t, missing(output, s.expected), "block %d, %s:\n%s\nprinted:\n%s", i+2, s.heading, s.commands, output)
			shell.all.WriteString(output)
		default:
			require.Fail(t, "the page asks for what the test cannot do: "+s.act)
		}
	}
	shell.keptSecrets()
}

// Alerts and documents lead to sections that are there.
func TestLinksToTheRunbookLeadSomewhere(t *testing.T) {
	t.Parallel()
	anchors := map[string]bool{}
	for line := range strings.Lines(page(t)) {
		if heading, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); ok && strings.HasPrefix(line, "#") {
			anchors[anchor(strings.TrimSpace(heading))] = true
		}
	}
	root, err := collector.Root()
	require.NoError(t, err)
	for _, m := range inPage.FindAllStringSubmatch(page(t), -1) {
		require.True(t, anchors[m[1]], "docs/runbook.md leads to its own #%s, which it does not have", m[1])
	}
	for _, folder := range []string{"deploy", "docs", "internal"} {
		require.NoError(t, filepath.WalkDir(filepath.Join(root, folder), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			content, err := os.ReadFile(path)
			for _, m := range toRunbook.FindAllSubmatch(content, -1) {
				require.True(t, anchors[string(m[1])], "%s leads to #%s, which docs/runbook.md does not have", path, m[1])
			}
			return err
		}))
	}
}

func TestWhatABlockPrintsIsHeldToItsWords(t *testing.T) {
	t.Parallel()
	steps := parse("# A\n## B, c\n\n```sh\none   # → 1 … 2\ntwo\nthree # → 3\n```\n\n<!-- test: PostgreSQL stops -->\n")
	require.Equal(t, []step{
		{heading: "B, c", commands: "one   # → 1 … 2\ntwo\nthree # → 3\n", expected: []string{"1", "2", "3"}},
		{heading: "B, c", act: "PostgreSQL stops"},
	}, steps)
	require.Empty(t, missing("1 and 2\n3", steps[0].expected))
	require.Equal(t, "3", missing("3, 1 and 2", steps[0].expected), "in this order")
	require.Equal(t, "b-c", anchor("B, c"))
}

// newServer has a login as a managed PostgreSQL gives its customer: no
// superuser, but it may make databases and roles.
func newServer(t *testing.T) *localpg.Server {
	t.Helper()
	source, err := localpg.SourceFromEnv()
	require.NoError(t, err)
	server, err := localpg.Start(t.Context(), localpg.Config{Source: source}) // not FastUnsafe, which doctor would find
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Stop()) })
	output, err := exec.CommandContext(t.Context(), "psql", "--quiet", server.AdminURL("postgres"), "--command", "CREATE ROLE dba LOGIN CREATEROLE CREATEDB").CombinedOutput()
	require.NoError(t, err, "%s", output)
	return server
}

// fill is the page's first block with the test's values.
func fill(t *testing.T, block string, server *localpg.Server) string {
	t.Helper()
	dir := t.TempDir()
	free, err := collector.FreeAddresses(4)
	require.NoError(t, err)
	values := map[string]string{
		"DB_HOST": server.SocketDir(), "DB_PORT": "5432", "DB_NAME": "telemetry", "DBA": "dba",
		"SECRETS": filepath.Join(dir, "secrets"), "QUEUE": filepath.Join(dir, "queue"), "BACKUPS": filepath.Join(dir, "backups"),
		"DWCP_OTLP_GRPC": free[0], "DWCP_OTLP_HTTP": free[1], "DWCP_HEALTH": free[2], "DWCP_METRICS": free[3],
	}
	var filled strings.Builder
	for _, m := range setting.FindAllStringSubmatch(block, -1) {
		value, ok := values[m[1]]
		require.True(t, ok, "the test has no value for %s", m[1])
		fmt.Fprintf(&filled, "export %s='%s'\n", m[1], value)
		delete(values, m[1])
	}
	require.Empty(t, values, "settings that the page does not have")
	return filled.String()
}

// A shell is the operator's: one bash, in a folder like that of a release.
type shell struct {
	t      *testing.T
	dir    string
	in     io.Writer
	out    *bufio.Reader
	blocks int
	all    strings.Builder // what was printed
}

func newShell(t *testing.T, settings string) *shell {
	t.Helper()
	s := &shell{t: t, dir: t.TempDir()}
	s.install()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	bash := exec.CommandContext(ctx, "bash", "--norc", "--noprofile")
	bash.Dir = s.dir
	bash.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	bash.Cancel = func() error { return syscall.Kill(-bash.Process.Pid, syscall.SIGKILL) }
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "DWCP_") && !strings.HasPrefix(variable, "OTEL_") && !strings.HasPrefix(variable, "PG") {
			bash.Env = append(bash.Env, variable)
		}
	}
	bash.Env = append(bash.Env, "PATH="+filepath.Join(s.dir, "bin")+":"+os.Getenv("PATH"))
	in, err := bash.StdinPipe()
	require.NoError(t, err)
	out, err := bash.StdoutPipe()
	require.NoError(t, err)
	bash.Stderr = bash.Stdout
	require.NoError(t, bash.Start())
	t.Cleanup(func() {
		_ = syscall.Kill(-bash.Process.Pid, syscall.SIGKILL) // the collector too
		_ = bash.Wait()
	})
	s.in, s.out = in, bufio.NewReader(out)
	_, err = s.run("set -eu -o pipefail\n" + settings)
	require.NoError(t, err)
	return s
}

// install puts both programs, the configuration and deploy/ into the folder.
func (s *shell) install() {
	root, err := collector.Root()
	require.NoError(s.t, err)
	options := e2etest.CollectorOptions(s.t, "")
	require.NoError(s.t, os.Mkdir(filepath.Join(s.dir, "bin"), 0o700))
	require.NoError(s.t, os.Symlink(options.Binary, filepath.Join(s.dir, "bin", "otelcol-dwcp")))
	build := exec.CommandContext(s.t.Context(), "go", "build", "-o", filepath.Join(s.dir, "bin"), "./cmd/dwcp-telemetry")
	build.Dir = root
	output, err := build.CombinedOutput()
	require.NoError(s.t, err, "%s", output)
	for _, name := range []string{"otelcol-config.yaml", "deploy"} {
		require.NoError(s.t, os.Symlink(filepath.Join(root, name), filepath.Join(s.dir, name)))
	}
}

// run has the shell run commands and returns what they printed; the error, if
// one of them failed, which ends the shell.
func (s *shell) run(commands string) (output string, err error) {
	s.blocks++
	end := fmt.Sprintf("end of block %d", s.blocks)
	if _, err := fmt.Fprintf(s.in, "{\n%s\n} </dev/null\necho '%s'\n", commands, end); err != nil {
		return "", err
	}
	var read strings.Builder
	for {
		line, err := s.out.ReadString('\n')
		if line == end+"\n" {
			return read.String(), nil
		}
		read.WriteString(line)
		if err != nil {
			return read.String(), fmt.Errorf("a command failed, or took too long: %w", err)
		}
	}
}

func (s *shell) file(name string) string {
	content, _ := os.ReadFile(filepath.Join(s.dir, name))
	return string(content)
}

// keptSecrets looks for passwords and keys in all that was printed and logged.
func (s *shell) keptSecrets() {
	s.t.Helper()
	output, err := s.run(`cat "$SECRETS"/vm-id*.key; sed 's/.*://' "$SECRETS/pgpass"`)
	require.NoError(s.t, err)
	secrets := strings.Fields(output)
	require.Len(s.t, secrets, 5, "two keys, three passwords")
	for _, secret := range secrets {
		require.NotContains(s.t, s.all.String(), secret)
		require.NotContains(s.t, s.file("collector.log"), secret)
		require.NotContains(s.t, s.file("doctor.json"), secret)
	}
}
