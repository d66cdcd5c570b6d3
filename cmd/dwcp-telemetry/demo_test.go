package main_test

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
)

// report is what demo --json promises.
type report struct {
	Sent             int64                       `json:"sent"`
	Written          int64                       `json:"written"`
	Duplicate        int64                       `json:"duplicate"`
	Rejected         int64                       `json:"rejected"`
	RejectedByReason map[string]int64            `json:"rejected_by_reason"`
	RowsPerSecond    float64                     `json:"rows_per_second"`
	Balance          map[string]map[string]int64 `json:"balance"`
	Files            []string                    `json:"files"`
	Kept             *struct {
		OTLP       string `json:"otlp"`
		Metrics    string `json:"metrics"`
		Psql       string `json:"psql"`
		ReplayWith string `json:"replay_with"`
		StopWith   string `json:"stop_with"`
	} `json:"kept"`
}

// demo runs demo --json; the first string is what it told besides.
func demo(t *testing.T, env []string, args ...string) (told string, r report) {
	t.Helper()
	got := execute(t, env, append([]string{"demo", "--json"}, args...)...)
	require.Zero(t, got.code, got.both())
	require.NoError(t, json.Unmarshal([]byte(got.stdout), &r), got.stdout)
	require.Equal(t, r.Sent, r.Written+r.Rejected)
	require.Positive(t, r.RowsPerSecond)
	return got.stderr, r
}

func TestTheDemoEndsWithOneJSONObject(t *testing.T) {
	got := execute(t, with(database(t)), "demo", "--json", "--decisions", "200")
	require.Zero(t, got.code, got.both())
	require.Equal(t, 1, strings.Count(got.stdout, "\n"))
	var members map[string]json.RawMessage
	require.NoError(t, json.Unmarshal([]byte(got.stdout), &members))
	for _, name := range []string{"sent", "written", "duplicate", "rejected", "rejected_by_reason", "rows_per_second", "balance", "files"} {
		require.Contains(t, members, name)
		require.NotEqual(t, "null", string(members[name]), name)
	}
	require.Equal(t, "200", string(members["sent"]))
	require.NotContains(t, members, "kept")
}

// The sample has one row that breaks a rule.
func TestTheDemoSendsTheSampleAndAccountsForEachDecision(t *testing.T) {
	url := database(t)
	told, r := demo(t, with(url))
	require.Equal(t, int64(6611), r.Sent)
	require.Equal(t, int64(6610), r.Written)
	require.Zero(t, r.Duplicate)
	require.Equal(t, map[string]int64{"out_of_range": 1}, r.RejectedByReason)
	total := int64(0)
	for _, link := range decision.Column("link_type").Rule.Enum {
		require.Positive(t, r.Balance[link]["HDE"]+r.Balance[link]["AMST"], link)
		total += r.Balance[link]["HDE"] + r.Balance[link]["AMST"]
	}
	require.Equal(t, r.Written, total)
	for _, file := range r.Files {
		require.FileExists(t, file)
	}
	require.Contains(t, told, "Sent 6611 decisions = 6610 written + 1 rejected")
	require.Contains(t, told, "rejected as out_of_range: 1")
	require.Contains(t, told, "The algorithm really used is the oracle's in ")
	require.NotContains(t, told, "\r", "no spinner where there is no terminal")

	conn := pgtest.Connect(t, url)
	require.Equal(t, r.Written, value[int64](t, conn, "SELECT count(*) FROM compression_telemetry"))
	require.Equal(t, "dwcp.hde.cpu_usage", value[string](t, conn, "SELECT field FROM compression_telemetry_rejected"))
	require.True(t, value[bool](t, conn, `SELECT min(timestamp) > now() - interval '7 days 1 minute' AND max(timestamp) <= now()
		FROM compression_telemetry`))
	require.True(t, value[bool](t, conn, "SELECT bool_and(vm_id ~ '^[0-9a-f]{64}$') FROM compression_telemetry"))

	told, r = demo(t, with(url), "--decisions", "7000")
	require.Equal(t, int64(7000), r.Sent, "more than the sample has")
	require.Contains(t, told, "those of earlier runs among them")
	require.Contains(t, told, ", 0 migrations applied")
}

// Nothing is replayed: compression and streams are run and measured now.
func TestTheLiveDemoMeasuresBothWaysOfEachDecision(t *testing.T) {
	url := database(t)
	told, r := demo(t, with(url), "--live", "--decisions", "60")
	require.Equal(t, int64(60), r.Written)
	require.Contains(t, told, "✓ 60 decisions sent and accounted for")
	require.Contains(t, told, "The algorithm really used is the oracle's in ")
	conn := pgtest.Connect(t, url)
	require.Equal(t, int64(60), value[int64](t, conn, `SELECT count(*) FROM compression_telemetry
		WHERE environment = 'demo' AND emitter_version = 'dwcpmanager' AND timestamp > now() - interval '5 minutes'
		AND hde_latency_ms > 0 AND amst_latency_ms > 0 AND 'shadow' IN (hde_source, amst_source)`))
}

// Whatever listens where a collector does by default, and whatever the user has
// set for real telemetry.
func TestTheDemoWorksBesideAnotherCollector(t *testing.T) {
	for _, address := range []string{"127.0.0.1:4317", "127.0.0.1:4318", "127.0.0.1:13133", "127.0.0.1:8888"} {
		if listener, err := net.Listen("tcp", address); err == nil { // else somebody listens there already
			defer listener.Close()
		}
	}
	_, r := demo(t, append(with(database(t)),
		"OTEL_EXPORTER_OTLP_ENDPOINT=::nonsense::", "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT=https://gateway.invalid", "OTEL_SDK_DISABLED=true",
		"OTEL_RESOURCE_ATTRIBUTES=broken", "OTEL_EXPORTER_OTLP_PROTOCOL=http/json", "DWCP_TELEMETRY_ENABLED=false", "DWCP_TELEMETRY_SAMPLING_RATIO=0",
		"DWCP_OTLP_GRPC=127.0.0.1:4317", "DWCP_METRICS=127.0.0.1:8888",
	), "--decisions", "50")
	require.Equal(t, int64(50), r.Written)
}

// What the demo sends is made up.
func TestTheDemoRefusesADatabaseOfRealDecisions(t *testing.T) {
	url := database(t)
	env := keepCollector(t, url)
	succeed(t, env, "replay", writeFile(t, lines(1)...))
	waitReceived(t, env, 2)
	failWith(t, "DWCP_DATABASE_URL: must name a database without decisions of other environments", with(url), "demo")
}

func TestOutsideOfTheProjectTheDemoSaysWhatIsMissing(t *testing.T) {
	cmd := command(t, nil, "demo")
	cmd.Dir = t.TempDir()
	output, err := cmd.CombinedOutput()
	require.Error(t, err)
	require.Equal(t, 2, cmd.ProcessState.ExitCode())
	require.Contains(t, string(output), "neither the working directory nor one above it is a clone of github.com/novacron/dwcp-telemetry")
	require.NoFileExists(t, filepath.Join(cmd.Dir, ".dwcp"))
}

func TestTheDemoUsesTheKeyOfTheUser(t *testing.T) {
	failure := execute(t, append(with(database(t)), "DWCP_VM_ID_KEY=sesame"), "demo", "--decisions", "1")
	require.Equal(t, 2, failure.code)
	require.Contains(t, failure.stderr, "processors::oraclelabel: keys::0::key: ")
	require.NotContains(t, failure.both(), "sesame")
	require.Contains(t, failure.stderr, "✗ starting the collector")
	require.Empty(t, left(t), "what was started is stopped")

	key, err := os.ReadFile(filepath.Join(project, ".dwcp", "vm-id.key"))
	if err == nil { // of another test's demo
		require.Len(t, strings.TrimSpace(string(key)), 64)
	}
}
