package e2e

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/decision/decisiontest"
	"github.com/novacron/dwcp-telemetry/instrumentation"
	"github.com/novacron/dwcp-telemetry/internal/collector"
	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

const vmIDKey = "6b65796b65796b65796b65796b65796b65796b65796b65796b65796b65796b65"

var build = sync.OnceValues(func() (string, error) {
	root, err := collector.Root()
	if err != nil {
		return "", err
	}
	return collector.Build(context.Background(), root)
})

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

func startOn(t *testing.T, admin, dsn string, env []string, overlays ...string) *pipeline {
	t.Helper()
	binary, err := build()
	require.NoError(t, err)
	root, err := collector.Root()
	require.NoError(t, err)
	p := &pipeline{admin: admin, options: collector.Options{
		Binary: binary, Dir: t.TempDir(),
		Env: append([]string{"DWCP_DATABASE_URL=" + dsn, "DWCP_VM_ID_KEY=" + vmIDKey}, env...),
	}}
	for _, config := range append([]string{"otelcol-config.yaml"}, overlays...) {
		if !filepath.IsAbs(config) {
			config = filepath.Join(root, config)
		}
		p.options.Configs = append(p.options.Configs, config)
	}
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
func (p *pipeline) recorder(t *testing.T) *instrumentation.Recorder {
	t.Helper()
	for _, entry := range os.Environ() {
		if key, _, _ := strings.Cut(entry, "="); strings.HasPrefix(key, "OTEL_") {
			t.Setenv(key, "")
		}
	}
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"+p.GRPC)
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=e2e,service.version=1.2.3")
	r, err := instrumentation.FromEnv(t.Context())
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
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	require.NoError(t, r.ForceFlush(ctx))
}

// send puts log records of any kind on the wire and waits for the answer.
func (p *pipeline) send(t *testing.T, logs plog.Logs) {
	t.Helper()
	conn, err := grpc.NewClient(p.GRPC, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	_, err = plogotlp.NewGRPCClient(conn).Export(ctx, plogotlp.NewExportRequestFromLogs(logs))
	require.NoError(t, err)
}

// waitReceived waits until the ledger accounts for n decisions.
func waitReceived(t *testing.T, conn *pgx.Conn, n int) {
	t.Helper()
	require.Eventually(t, func() bool {
		return queryInt(t, conn, "SELECT coalesce(sum(received), 0) FROM compression_telemetry_batches") >= n
	},
		30*time.Second, 20*time.Millisecond)
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

// decisions returns n valid decisions as DWCP makes them, every field set, of
// the last hour, with values that differ.
func decisions(n int) []decision.Decision {
	random := rand.New(rand.NewPCG(1, 2))
	now := time.Now().UTC().Truncate(time.Microsecond)
	all := make([]decision.Decision, n)
	for i := range all {
		d := decisiontest.Full()
		d.Timestamp = now.Add(-time.Duration(random.Int64N(int64(time.Hour)))).Truncate(time.Microsecond)
		d.VMID, d.RequestID = "vm-"+uuid.NewString(), uuid.NewString()
		d.EventID = decision.UUID(uuid.Must(uuid.NewV7()))
		d.LinkType = []decision.LinkType{decision.DC, decision.Metro, decision.WAN, decision.Edge}[i%4]
		d.NetworkTier, d.PayloadBytes = int64(1+i%3), 1+random.Int64N(1<<53-1)
		d.BandwidthAvailableMbps, d.BandwidthUtilization, d.RTTMillis = 10+1e4*random.Float64(), 100*random.Float64(), 200*random.Float64()
		d.HasBaseline = i%2 == 0
		d.HDECompressionRatio.Value, d.HDELatencyMillis.Value, d.HDECPUUsage.Value = 1+10*random.Float64(), 1+random.Float64(), 1+99*random.Float64()
		d.AMSTTransferRateMbps.Value, d.AMSTLatencyMillis.Value, d.AMSTCPUUsage.Value = 10*random.Float64(), 1+100*random.Float64(), 1+99*random.Float64()
		d.VMKeyID, d.QualityFlags = decision.Opt[string]{}, 0
		for j := range decision.Fields() {
			f := &decision.Fields()[j]
			if f.Role == decision.RoleLabel || f.Role == decision.RoleQuality {
				unset(f, &d)
			}
		}
		all[i] = d
	}
	return all
}

// unset makes one field missing.
func unset(field *decision.Field, d *decision.Decision) {
	var kept decision.Decision
	for i := range decision.Fields() {
		f := &decision.Fields()[i]
		if v, ok := f.Value(d); ok && f.Column != field.Column {
			if problem := f.Decode(v, &kept); problem != nil {
				panic(problem)
			}
		}
	}
	*d = kept
}
