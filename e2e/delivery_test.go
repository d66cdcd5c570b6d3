package e2e

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/e2e/e2etest"
	"github.com/novacron/dwcp-telemetry/instrumentation"
	"github.com/novacron/dwcp-telemetry/internal/decisionlog"
	"github.com/novacron/dwcp-telemetry/internal/localpg"
	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
)

func record(t *testing.T, r *instrumentation.Recorder, all []decision.Decision) {
	t.Helper()
	for i := range all {
		r.Record(t.Context(), &all[i])
	}
}

// ownServer is a PostgreSQL that a test may stop and start.
func ownServer(t *testing.T) (server *localpg.Server, admin, writer string) {
	t.Helper()
	server, admin = e2etest.OwnServer(t, localpg.Config{})
	return server, admin, e2etest.Writer(t, admin)
}

// The same events, ids and times included, leave the row count and every row
// as they were.
func TestReplayChangesNothing(t *testing.T) {
	p := startPipeline(t)
	conn := pgtest.Connect(t, p.admin)
	all := decisions(400)
	all[7].HDECPUUsage = decision.Some(109.55)
	record(t, p.recorder(t), all)
	waitReceived(t, conn, len(all))
	rows := queryText(t, conn, "SELECT * FROM compression_telemetry ORDER BY id")
	rejected := queryText(t, conn, "SELECT * FROM compression_telemetry_rejected")
	require.Equal(t, len(all)-1, queryInt(t, conn, "SELECT count(*) FROM compression_telemetry"))

	record(t, p.recorder(t), all)
	waitReceived(t, conn, 2*len(all))
	require.Equal(t, rows, queryText(t, conn, "SELECT * FROM compression_telemetry ORDER BY id"))
	require.Equal(t, rejected, queryText(t, conn, "SELECT * FROM compression_telemetry_rejected"))
	require.Equal(t, len(all), queryInt(t, conn, "SELECT sum(duplicate) FROM compression_telemetry_batches"))
	require.Zero(t, queryInt(t, conn, "SELECT sum(conflict) FROM compression_telemetry_batches"))
}

func TestItStartsWhilePostgreSQLIsDownAndAKillLosesNothing(t *testing.T) {
	server, admin, writer := ownServer(t)
	require.NoError(t, server.Signal(syscall.SIGINT))
	p := startOn(t, admin, writer, nil)
	all := decisions(2000)
	recorder := p.recorder(t)
	record(t, recorder, all)
	flush(t, recorder) // acknowledged: in the queue on disk

	require.NoError(t, p.Signal(syscall.SIGKILL))
	<-p.Exited()
	require.NoError(t, server.Restart(t.Context()))
	p.start(t)
	conn := pgtest.Connect(t, admin)
	waitReceived(t, conn, len(all))
	require.Equal(t, len(all), queryInt(t, conn, "SELECT count(*) FROM compression_telemetry"))
}

func TestWithAckOnCommitAnAcknowledgedDecisionIsInTheTable(t *testing.T) {
	server, admin, writer := ownServer(t)
	p := startOn(t, admin, writer, nil, "deploy/ack-on-commit.yaml")
	conn := pgtest.Connect(t, admin)
	recorder := p.recorder(t)
	all := decisions(3000)
	record(t, recorder, all[:1000])
	flush(t, recorder)
	require.Equal(t, 1000, queryInt(t, conn, "SELECT count(*) FROM compression_telemetry"), "without waiting")
	require.NoDirExists(t, p.queueDir())

	// While PostgreSQL is away nothing is acknowledged, and nothing is lost.
	require.NoError(t, server.Signal(syscall.SIGINT))
	record(t, recorder, all[1000:])
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	require.Error(t, recorder.ForceFlush(ctx))
	require.Equal(t, uint64(1000), recorder.Stats().Sent)
	require.NoError(t, server.Restart(t.Context()))
	flush(t, recorder)
	conn = pgtest.Connect(t, admin)
	require.Equal(t, len(all), queryInt(t, conn, "SELECT count(*) FROM compression_telemetry"))
}

// A backend that is dead, in either way of being dead, costs our rows nothing,
// also when its queue is full.
func TestADeadBackendDoesNotStallOrLoseOurRows(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // accepts and never answers
	require.NoError(t, err)
	t.Cleanup(func() { _ = silent.Close() })
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, gone.Close())

	tiny := filepath.Join(t.TempDir(), "tiny.yaml")
	require.NoError(t, os.WriteFile(tiny, []byte(`exporters:
  otlp_grpc/backend:
    sending_queue:
      queue_size: 100
      batch: {min_size: 50, max_size: 50}
`), 0o600))
	for name, address := range map[string]string{"refuses": gone.Addr().String(), "is silent": silent.Addr().String()} {
		t.Run(name, func(t *testing.T) {
			admin := pgtest.Database(t)
			p := startOn(t, admin, pgtest.Login(t, admin, "dwcp_writer"),
				[]string{"DWCP_BACKEND_ENDPOINT=" + address, "DWCP_BACKEND_INSECURE=true"}, "deploy/parallel-backend.yaml", tiny)
			all := decisions(5000)
			recorder := p.recorder(t)
			record(t, recorder, all)
			flush(t, recorder)
			require.Equal(t, uint64(len(all)), recorder.Stats().Sent)
			conn := pgtest.Connect(t, admin)
			waitReceived(t, conn, len(all))
			require.Equal(t, len(all), queryInt(t, conn, "SELECT count(*) FROM compression_telemetry"))
			require.Zero(t, queryInt(t, conn, "SELECT sum(duplicate) FROM compression_telemetry_batches"), "nothing was sent again")
			require.Contains(t, get(t, "http://"+p.Metrics+"/metrics"), "otelcol_besteffort_lost", "the backend's queue was full")
		})
	}
}

func TestTheParallelBackendGetsEveryDecisionLabelled(t *testing.T) {
	b := startBackend(t)
	admin := pgtest.Database(t)
	p := startOn(t, admin, pgtest.Login(t, admin, "dwcp_writer"),
		[]string{"DWCP_BACKEND_ENDPOINT=" + b.address, "DWCP_BACKEND_INSECURE=true"}, "deploy/parallel-backend.yaml")
	all := decisions(100)
	record(t, p.recorder(t), all)
	b.wait(t, len(all))
	labelled, _ := b.split(t)
	for _, d := range all {
		require.Contains(t, labelled, d.RequestID)
		require.NotContains(t, labelled, d.VMID)
	}
	require.Contains(t, labelled, `"dwcp.oracle.algorithm"`)
}

func TestDecisionsMayComeOverHTTP(t *testing.T) {
	p := startPipeline(t)
	logs := plog.NewLogs()
	all := decisions(10)
	for i := range all {
		decisionlog.Encode(&all[i], logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty())
	}
	for contentType, marshal := range map[string]func(plogotlp.ExportRequest) ([]byte, error){
		"application/x-protobuf": plogotlp.ExportRequest.MarshalProto,
		"application/json":       plogotlp.ExportRequest.MarshalJSON,
	} {
		body, err := marshal(plogotlp.NewExportRequestFromLogs(logs))
		require.NoError(t, err)
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+p.HTTP+"/v1/logs", bytes.NewReader(body))
		require.NoError(t, err)
		request.Header.Set("Content-Type", contentType)
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, http.StatusOK, response.StatusCode)
	}
	conn := pgtest.Connect(t, p.admin)
	waitReceived(t, conn, 20)
	require.Equal(t, 10, queryInt(t, conn, "SELECT count(*) FROM compression_telemetry"))
	require.Equal(t, 10, queryInt(t, conn, "SELECT sum(duplicate) FROM compression_telemetry_batches"))
}
