package e2e

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/novacron/dwcp-telemetry/e2e/e2etest"
	"github.com/novacron/dwcp-telemetry/instrumentation"
	"github.com/novacron/dwcp-telemetry/internal/collector"
	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

const vmIDKey = e2etest.VMIDKey

var (
	decisions = e2etest.Decisions
	unset     = e2etest.Unset
	native    = e2etest.Native
)

// pipeline is a collector that writes into a database as dwcp_writer.
type pipeline struct {
	*collector.Process
	options collector.Options
	admin   string // URL of the database for its owner
}

// startPipeline starts the built collector with the default configuration and
// overlays: names of files below the project's folder, or absolute paths.
func startPipeline(t *testing.T, overlays ...string) *pipeline {
	t.Helper()
	admin := pgtest.Database(t)
	return startOn(t, admin, pgtest.Login(t, admin, "dwcp_writer"), nil, overlays...)
}

// startOn takes flags of the collector among the overlays: what begins with --.
func startOn(t *testing.T, admin, dsn string, env []string, overlays ...string) *pipeline {
	t.Helper()
	var flags []string
	overlays = slices.DeleteFunc(slices.Clone(overlays), func(overlay string) bool {
		isFlag := strings.HasPrefix(overlay, "--")
		if isFlag {
			flags = append(flags, overlay)
		}
		return isFlag
	})
	p := &pipeline{admin: admin, options: e2etest.CollectorOptions(t, dsn, overlays...)}
	p.options.Env = append(p.options.Env, env...)
	p.options.Flags = flags
	p.start(t)
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(p.Log())
		}
		require.NoError(t, p.Stop())
	})
	return p
}

func (p *pipeline) start(t *testing.T) {
	t.Helper()
	var err error
	p.Process, err = collector.Start(t.Context(), p.options)
	require.NoError(t, err)
}

func (p *pipeline) queueDir() string { return filepath.Join(p.options.Dir, "queue") }

// recorder is a Recorder that sends to the pipeline, as DWCP would make it.
func (p *pipeline) recorder(t *testing.T, opts ...instrumentation.Option) *instrumentation.Recorder {
	t.Helper()
	for _, entry := range os.Environ() {
		if key, _, _ := strings.Cut(entry, "="); strings.HasPrefix(key, "OTEL_") || strings.HasPrefix(key, "DWCP_VM_ID_KEY") {
			t.Setenv(key, "")
		}
	}
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"+p.GRPC)
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=e2e,service.version=1.2.3")
	r, err := instrumentation.FromEnv(t.Context(), opts...)
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = r.Shutdown(ctx) // a test that wants delivery has flushed
	})
	return r
}

func flush(t *testing.T, r *instrumentation.Recorder) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), waitLimit)
	defer cancel()
	require.NoError(t, r.ForceFlush(ctx))
}

// send puts log records of any kind on the wire and waits for the answer.
func (p *pipeline) send(t *testing.T, logs plog.Logs) {
	t.Helper()
	conn, err := grpc.NewClient(p.GRPC, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), waitLimit)
	defer cancel()
	_, err = plogotlp.NewGRPCClient(conn).Export(ctx, plogotlp.NewExportRequestFromLogs(logs))
	require.NoError(t, err)
}

// waitReceived waits until the ledger accounts for n decisions.
func waitReceived(t *testing.T, conn *pgx.Conn, n int) {
	t.Helper()
	require.Eventually(t, func() bool {
		return queryInt(t, conn, "SELECT coalesce(sum(received), 0) FROM compression_telemetry_batches") >= n
	}, waitLimit, waitTick)
}

func queryInt(t *testing.T, conn *pgx.Conn, query string) (n int) {
	t.Helper()
	require.NoError(t, conn.QueryRow(t.Context(), query).Scan(&n))
	return n
}

// queryText returns all that a query finds as one text.
func queryText(t *testing.T, conn *pgx.Conn, query string) string {
	t.Helper()
	var text string
	require.NoError(t, conn.QueryRow(t.Context(), "SELECT coalesce(string_agg(t::text, E'\n'), '') FROM ("+query+") AS t").Scan(&text))
	return text
}
