package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/e2e/e2etest"
	"github.com/novacron/dwcp-telemetry/internal/needtest"
)

// unit is the values of a unit's keys, in the order of the file.
type unit map[string][]string

func units(t *testing.T) map[string]unit {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root(t), "deploy", "systemd", "*.service"))
	require.NoError(t, err)
	require.Len(t, files, 4)
	all := map[string]unit{}
	for _, file := range files {
		u := unit{}
		for line := range strings.Lines(read(t, file)) {
			if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(line, "#") {
				u[key] = append(u[key], value)
			}
		}
		all[filepath.Base(file)] = u
	}
	return all
}

// environment is a unit's, with that of the example of its EnvironmentFile; systemd's
// specifiers are replaced by folders.
func (u unit) environment(t *testing.T, credentials, state string) map[string]string {
	t.Helper()
	replace := strings.NewReplacer("%d", credentials, "%S", state)
	env := map[string]string{}
	for _, line := range u["Environment"] {
		for entry := range strings.FieldsSeq(line) {
			key, value, _ := strings.Cut(entry, "=")
			env[key] = replace.Replace(value)
		}
	}
	for _, file := range u["EnvironmentFile"] {
		for line := range strings.Lines(read(t, filepath.Join(root(t), "deploy", "systemd", filepath.Base(file)))) {
			if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(line, "#") {
				env[key] = value
			}
		}
	}
	return env
}

// credentials are the files that LoadCredential= would bring.
func (u unit) credentials(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	for _, credential := range u["LoadCredential"] {
		name, source, _ := strings.Cut(credential, ":")
		require.Equal(t, "/etc/otelcol-dwcp/secrets/"+name, source)
		content := "*:*:telemetry:login:0123456789abcdef\n"
		if name == "vm-id.key" {
			content = e2etest.VMIDKey + "\n"
		}
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600))
	}
	return folder
}

func TestTheProgramsTakeWhatTheUnitsGiveThem(t *testing.T) {
	t.Parallel()
	for name, u := range units(t) {
		for _, line := range append(u["ExecStartPre"], u["ExecStart"]...) {
			words := strings.Fields(line)
			switch words[0] {
			case "/usr/bin/otelcol-dwcp":
				args := words[1:]
				if args[0] == "validate" {
					args = args[1:]
				}
				checkCollector(t, args, u.environment(t, u.credentials(t), t.TempDir()), strings.NewReplacer())
			default:
				require.Equal(t, "/usr/bin/dwcp-telemetry", words[0], name)
				checkCommand(t, words[1:])
			}
		}
		for key, value := range u.environment(t, "", "") {
			require.NotRegexp(t, `://[^/@]*:[^/@]*@`, value, "%s: %s has a password", name, key)
		}
	}
}

// They are long, and each unit has its own so that it can be read by itself.
func TestAllUnitsAreShutInAlike(t *testing.T) {
	t.Parallel()
	var first string
	for name := range units(t) {
		text := read(t, filepath.Join(root(t), "deploy", "systemd", name))
		_, block, found := strings.Cut(text, "\nCapabilityBoundingSet=")
		require.True(t, found, name)
		block, _, _ = strings.Cut(block, "\n\n")
		if first == "" {
			first = strings.TrimSpace(block)
		}
		require.Equal(t, first, strings.TrimSpace(block), name)
		require.Contains(t, text, "\nDynamicUser=yes\n", name)
	}
}

func TestSystemdTakesTheUnitsAndFindsThemShutIn(t *testing.T) {
	t.Parallel()
	analyze := needtest.Program(t, "apt-get install systemd", "systemd-analyze")
	files, err := filepath.Glob(filepath.Join(root(t), "deploy", "systemd", "*.*e*r*"))
	require.NoError(t, err)
	for _, file := range files {
		if filepath.Ext(file) != ".service" && filepath.Ext(file) != ".timer" {
			continue
		}
		output, _ := exec.CommandContext(t.Context(), analyze, "verify", "--man=no", file).CombinedOutput()
		for line := range strings.Lines(string(output)) {
			// The programs are not installed here; anything else is a fault.
			require.Regexp(t, `Command /usr/bin/(otelcol-dwcp|dwcp-telemetry) is not executable`, line)
		}
		if filepath.Ext(file) == ".service" {
			output, err := exec.CommandContext(t.Context(), analyze, "security", "--offline=true", "--threshold=15", "--no-pager", file).CombinedOutput()
			require.NoError(t, err, "exposure above 1.5:\n%s", output)
		}
	}
}

func TestTheCollectorHasTimeToEndItsBatch(t *testing.T) {
	t.Parallel()
	u := units(t)["otelcol-dwcp.service"]
	require.Equal(t, []string{"90s"}, u["TimeoutStopSec"], "an attempt at a batch may take 60 s")
	require.Equal(t, []string{"0700"}, u["StateDirectoryMode"])
	require.Equal(t, []string{"otelcol-dwcp"}, u["StateDirectory"])
	require.Contains(t, u.environment(t, "", "/var/lib")["DWCP_QUEUE_DIR"], "/var/lib/otelcol-dwcp/")
}
