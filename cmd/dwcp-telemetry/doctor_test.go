package main_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/e2e/e2etest"
)

// examined is a report as --json writes it.
type examined struct {
	Purposes []string
	Counts   map[string]int
	Findings []struct{ ID, Subject, Level, Seen, Do string }
}

func readExamined(t *testing.T, out string) (e examined) {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(out))
	decoder.DisallowUnknownFields()
	require.NoError(t, decoder.Decode(&e), out)
	require.NotEmpty(t, e.Findings)
	return e
}

// patient is doctor for a machine that does much else.
func patient(flags ...string) []string {
	return append([]string{"doctor", "--timeout", "5m"}, flags...)
}

func TestDoctorSaysWhatIsWrongByItsExitCode(t *testing.T) {
	url := database(t)
	env := with(url)
	r := execute(t, env, patient("--as", "owner")...)
	require.Equal(t, 1, r.code, r.both())
	require.Contains(t, r.stdout, "schema.migrations")
	require.Contains(t, r.stdout, "→ as the database's owner: dwcp-telemetry migrate up")
	require.NotContains(t, r.both(), "\x1b[", "no terminal, no colour")
	succeed(t, env, "migrate", "up")

	r = execute(t, env, patient("--as", "owner", "--json")...)
	e := readExamined(t, r.stdout)
	require.Equal(t, []string{"owner"}, e.Purposes)
	for _, f := range e.Findings {
		// The tests' PostgreSQL is fast and not safe.
		if f.Level == "error" {
			require.Equal(t, "postgres.durability", f.ID, "%+v", f)
		}
		require.False(t, strings.HasPrefix(f.ID, "queue."), "an owner's machine is no collector's")
	}
	require.Equal(t, e.Counts["error"] > 0, r.code == 1)

	all := execute(t, env, patient("--as", "owner", "--all")...)
	require.Regexp(t, `schema.migrations +DWCP_DATABASE_URL: all \d+ are applied`, all.stdout)
}

// Warnings fail it only if that is asked for.
func TestDoctorIsStrictIfAsked(t *testing.T) {
	key := filepath.Join(t.TempDir(), "k1.key")
	require.NoError(t, os.WriteFile(key, []byte("9f1c5be07d42a8e3610fb794cc2d5a18e6703bd94f85a12c06ee7db8593f4ac1\n"), 0o600))
	env := []string{"DWCP_VM_ID_KEY_FILE=" + key, "DWCP_HEALTH=127.0.0.1:1", "DWCP_QUEUE_DIR=" + filepath.Join(t.TempDir(), "queue")}
	agent := filepath.Join(t.TempDir(), "agent.yaml")
	require.NoError(t, os.WriteFile(agent, []byte(`receivers: {otlp: {protocols: {grpc: {endpoint: 127.0.0.1:4317}}}}
exporters: {nop: }
service: {pipelines: {logs: {receivers: [otlp], exporters: [nop]}}}
`), 0o600))
	args := patient("--config", agent, "--collector", e2etest.CollectorOptions(t, "").Binary)
	r := execute(t, env, args...)
	require.Zero(t, r.code, r.both())
	require.Contains(t, r.stdout, "no collector answers")
	r = execute(t, env, append(args, "--strict")...)
	require.Equal(t, 1, r.code, r.both())
}

func TestDoctorStartsNoPostgreSQLOfItsOwn(t *testing.T) {
	before, err := os.ReadDir(project)
	require.NoError(t, err)
	r := execute(t, nil, "doctor")
	require.Equal(t, 1, r.code, r.both())
	require.Contains(t, r.stdout, "doctor starts no PostgreSQL of its own as other commands do")
	after, err := os.ReadDir(project)
	require.NoError(t, err)
	require.Len(t, after, len(before))
}

func TestDoctorRefusesWrongUsage(t *testing.T) {
	failWith(t, `--as: must be writer, maintainer, reader or owner, got "root"`, nil, "doctor", "--as", "root")
	failWith(t, "--timeout: must be above 0s, got 0s", nil, "doctor", "--timeout", "0s")
	failWith(t, "--config: stat nowhere.yaml: no such file", nil, "doctor", "--config", "nowhere.yaml")
	failWith(t, "--collector: ", nil, "doctor", "--collector", "/nowhere/otelcol-dwcp")
	failWith(t, "--vm-id: must not be empty", nil, "doctor", "--vm-id", "-")
	failWith(t, "takes no arguments", nil, "doctor", "me")
}
