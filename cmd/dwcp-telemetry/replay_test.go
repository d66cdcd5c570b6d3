package main_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
)

// lines are decisions of the last hour.
func lines(n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf(`{"timestamp": %q, "vm_id": "vm-%03d", "request_id": "r-%d", "link_type": "wan", "region": "eu-west-1",
			"network_tier": 2, "bandwidth_available_mbps": 940.5, "bandwidth_utilization": 31.25, "rtt_ms": %d.5, "payload_size": 4096,
			"payload_type": "vm_disk", "has_baseline": true, "hde_compression_ratio": 3.5, "hde_latency_ms": 120.25, "hde_cpu_usage": 50,
			"amst_stream_count": 4, "amst_transfer_rate_mbps": 800.5, "amst_latency_ms": 671, "amst_cpu_usage": 1.5}`,
			time.Now().Add(time.Duration(i)*time.Second-time.Hour).UTC().Format(time.RFC3339Nano), i, i, i))
		all[i] = strings.Join(strings.Fields(all[i]), " ")
	}
	return all
}

func writeFile(t *testing.T, lines ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "decisions.ndjson")
	require.NoError(t, os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o600))
	return file
}

// keepCollector leaves a collector running for a database until the test ends.
func keepCollector(t *testing.T, url string) (env []string) {
	t.Helper()
	_, r := demo(t, with(url), "--keep", "--decisions", "1")
	t.Cleanup(func() {
		require.NoError(t, exec.Command("sh", "-c", r.Kept.StopWith).Run())
		require.Eventually(t, func() bool { return len(left(t)) == 0 }, time.Minute, 20*time.Millisecond)
	})
	require.Equal(t, `psql "$DWCP_DATABASE_URL"`, r.Kept.Psql)
	return append(with(url), "OTEL_EXPORTER_OTLP_ENDPOINT="+r.Kept.OTLP)
}

// waitReceived waits until status accounts for so many decisions.
func waitReceived(t *testing.T, env []string, n int64) {
	t.Helper()
	require.Eventually(t, func() bool {
		var status struct{ Totals struct{ Received int64 } }
		require.NoError(t, json.Unmarshal([]byte(succeed(t, env, "status", "--json")), &status))
		return status.Totals.Received >= n
	}, time.Minute, 50*time.Millisecond)
}

// content is every row there is, each as text.
func content(t *testing.T, conn *pgx.Conn) []string {
	t.Helper()
	rows, err := conn.Query(t.Context(), `SELECT t::text FROM compression_telemetry AS t
		UNION ALL SELECT r::text FROM compression_telemetry_rejected AS r ORDER BY 1`)
	require.NoError(t, err)
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	return all
}

func TestReplayingAFileAgainWithItsTimesChangesNothing(t *testing.T) {
	url := database(t)
	env := keepCollector(t, url)
	all := lines(20)
	all[3] = strings.Replace(all[3], `"hde_cpu_usage": 50`, `"hde_cpu_usage": 150`, 1)
	file := writeFile(t, all...)
	require.Equal(t, "recorded 20: sent 20, refused 0, not delivered 0\n", succeed(t, env, "replay", file, "--keep-times"))
	waitReceived(t, env, 21)
	conn := pgtest.Connect(t, url)
	once := content(t, conn)
	require.Len(t, once, 21, "one of the demo, 19 written, 1 rejected")

	succeed(t, env, "replay", file, "--keep-times")
	waitReceived(t, env, 41)
	require.Equal(t, once, content(t, conn))
	require.Equal(t, 20, value[int](t, conn, "SELECT sum(duplicate)::int FROM compression_telemetry_batches"))

	succeed(t, env, "replay", file)
	waitReceived(t, env, 61)
	require.Len(t, content(t, conn), 41, "new ids and times are new decisions")
}

func TestReplayNamesTheLineThatIsWrong(t *testing.T) {
	file := writeFile(t, append(lines(2), `{"timestamp": "2026-03-01T00:00:00Z", "rtt_ms": "18"}`)...)
	failWith(t, file+`: line 3: rtt_ms: must be a number, got "18"`, nil, "replay", file)
	failWith(t, "no such file", nil, "replay", file+".gz")
	failWith(t, "there is no decision to send", nil, "replay", writeFile(t))
}

func TestReplayNamesTheVariableThatIsWrong(t *testing.T) {
	failWith(t, "OTEL_EXPORTER_OTLP_ENDPOINT: ", []string{"OTEL_EXPORTER_OTLP_ENDPOINT=ftp://collector"}, "replay", writeFile(t, lines(1)...))
	failWith(t, "the Recorder is disabled", []string{"DWCP_TELEMETRY_ENABLED=false"}, "replay", writeFile(t, lines(1)...))
}

// Where nobody listens, replay waits, and says so; Ctrl-C ends that at once.
func TestCtrlCEndsAReplayThatNobodyTakes(t *testing.T) {
	cmd := command(t, []string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1"}, "replay", writeFile(t, lines(3)...))
	output, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	waiting := make([]byte, 4096)
	n, err := output.Read(waiting)
	require.NoError(t, err)
	require.Contains(t, string(waiting[:n]), "127.0.0.1:1")
	begin := time.Now()
	require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
	n, err = output.Read(waiting)
	require.NoError(t, err)
	require.Equal(t, "dwcp-telemetry: interrupted\n", string(waiting[:n]))
	require.Error(t, cmd.Wait())
	require.Equal(t, 2, cmd.ProcessState.ExitCode())
	require.Less(t, time.Since(begin), 30*time.Second, "not the minute that a flush may take")
}
