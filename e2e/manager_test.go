package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
)

var recordedAndSent = regexp.MustCompile(`decisions recorded (\d+): sent (\d+), refused 0, not delivered 0; dropped 0, sampled out 0`)

// The example manager as its user runs it: real compression and real streams,
// into a running collector, until Ctrl-C.
func TestDecisionsOfTheExampleManagerAreCandidatesUntilCtrlC(t *testing.T) {
	program := filepath.Join(t.TempDir(), "dwcpmanager")
	built, err := exec.Command("go", "build", "-o", program, "../examples/dwcpmanager").CombinedOutput()
	require.NoError(t, err, string(built))
	p := startPipeline(t)
	conn := pgtest.Connect(t, p.admin)

	manager := exec.Command(program, "-rate", "40", "-vms", "8")
	manager.Env = append(os.Environ(), "OTEL_EXPORTER_OTLP_ENDPOINT=http://"+p.GRPC, "OTEL_RESOURCE_ATTRIBUTES=")
	var out, log bytes.Buffer
	manager.Stdout, manager.Stderr = &out, &log
	require.NoError(t, manager.Start())
	t.Cleanup(func() { _ = manager.Process.Kill() }) // no more than a failed test leaves behind
	waitReceived(t, conn, 50)
	require.Eventually(t, func() bool { // what kind a link is, is measured: a loaded machine takes longer to see the quickest
		return queryInt(t, conn, "SELECT count(DISTINCT link_type) FROM compression_telemetry") == 4
	}, waitLimit, waitTick)
	require.NoError(t, manager.Process.Signal(syscall.SIGINT))
	require.NoError(t, manager.Wait(), log.String())

	said := recordedAndSent.FindStringSubmatch(out.String())
	require.NotNil(t, said, out.String())
	recorded, err := strconv.Atoi(said[1])
	require.NoError(t, err)
	require.Equal(t, said[1], said[2], "all that was recorded is sent")
	require.Contains(t, log.String(), "moved VMs ")
	waitReceived(t, conn, recorded)

	count := func(where string) int {
		return queryInt(t, conn, "SELECT count(*) FROM compression_telemetry WHERE "+where)
	}
	require.Equal(t, recorded, count("environment = 'example' AND emitter_version = 'dwcpmanager' AND actual_outcome = 'success'"), "none is refused")
	require.Zero(t, queryInt(t, conn, "SELECT count(*) FROM compression_telemetry_rejected"))
	both := count("hde_latency_ms > 0 AND amst_latency_ms > 0 AND hde_cpu_usage > 0 AND amst_cpu_usage > 0")
	require.Equal(t, recorded-both, count("'shadow_timeout' = ANY (quality_flags)"), "both ways are measured, unless Ctrl-C ended the shadow run")
	require.Greater(t, both, recorded/2)
	require.Equal(t, both, count("(hde_source = 'measured' AND amst_source = 'shadow') OR (hde_source = 'shadow' AND amst_source = 'measured')"))
	require.GreaterOrEqual(t, count("is_training_candidate"), both*3/4, "a loaded machine may make a measurement implausible, not many")
	require.Positive(t, count("prior_samples > 0"), "later decisions know what earlier ones cost")
}
