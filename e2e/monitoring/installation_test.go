package monitoring

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
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
	"github.com/novacron/dwcp-telemetry/e2e/e2etest"
	"github.com/novacron/dwcp-telemetry/internal/certtest"
	"github.com/novacron/dwcp-telemetry/internal/collector"
	"github.com/novacron/dwcp-telemetry/internal/decisionlog"
	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
)

// Generous: they end when what they wait for is there.
const waitLimit, waitTick = 3 * time.Minute, 50 * time.Millisecond

// installation is what deploy/ describes, with all that can go wrong in it:
//
//	collector   writes, keeps the retention; its backend is away and its queue for it tiny
//	forbidden   its login may not write
//	agent       its gateway is another program
//	locked      wants a certificate of its clients
type installation struct {
	admin                               string // URL of the database for its owner
	conn                                *pgx.Conn
	collector, forbidden, agent, locked *collector.Process
	recorder                            decision.UUID
	sequence                            int64
}

const tinyBackend = `
exporters:
  otlp_grpc/backend:
    sending_queue: {queue_size: 1, batch: {min_size: 1, max_size: 1}}
`

func install(t *testing.T) *installation {
	t.Helper()
	in := &installation{admin: pgtest.Database(t), recorder: decision.UUID(uuid.New())}
	in.conn = pgtest.Connect(t, in.admin)
	in.collector = in.start(t, e2etest.Writer(t, in.admin), []string{
		"DWCP_MAINTENANCE_URL=" + pgtest.Login(t, in.admin, "dwcp_maintainer"),
		"DWCP_BACKEND_ENDPOINT=127.0.0.1:1", "DWCP_BACKEND_INSECURE=true",
	}, "deploy/parallel-backend.yaml", write(t, "tiny.yaml", tinyBackend))
	in.forbidden = in.start(t, pgtest.Login(t, in.admin, "dwcp_ml_reader"), nil)
	in.agent = in.start(t, "", []string{"DWCP_GATEWAYS=" + otherProgram(t), "DWCP_GATEWAY_INSECURE=true"}, "deploy/agent.yaml")
	authority := certtest.New(t)
	certificate, key := authority.Issue(t, "127.0.0.1", certtest.Valid()).Write(t, t.TempDir(), "server")
	in.locked = in.start(t, e2etest.Writer(t, in.admin), []string{
		"DWCP_TLS_CERT=" + certificate, "DWCP_TLS_KEY=" + key, "DWCP_TLS_CLIENT_CA=" + write(t, "ca.crt", string(authority.PEM)),
	}, "deploy/tls.yaml")
	return in
}

func (in *installation) start(t *testing.T, dsn string, env []string, overlays ...string) *collector.Process {
	t.Helper()
	options := e2etest.CollectorOptions(t, dsn, overlays...)
	options.Env = append(options.Env, env...)
	p, err := collector.Start(t.Context(), options)
	require.NoError(t, err)
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(p.Log())
		}
		require.NoError(t, p.Stop())
	})
	return p
}

// otherProgram speaks gRPC and knows nothing of logs.
func otherProgram(t *testing.T) (address string) {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := grpc.NewServer()
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return listener.Addr().String()
}

// round sends a bit of everything: decisions for either way, some again, one with
// other content, invalid ones, and what those that fail shall fail with.
func (in *installation) round(t *testing.T) {
	t.Helper()
	all := e2etest.Decisions(80)
	for i := range all {
		in.sequence++
		all[i].RecorderID, all[i].RecorderSequence = decision.Some(in.recorder), decision.Some(in.sequence)
		if i%8 < 4 { // AMST is as fast as the link, HDE takes long
			all[i].AMSTTransferRateMbps, all[i].AMSTLatencyMillis = decision.Some(all[i].BandwidthAvailableMbps), decision.Some(1.0)
			all[i].HDECompressionRatio, all[i].HDELatencyMillis = decision.Some(1.1), decision.Some(90_000.0)
		}
	}
	all[0].HDECPUUsage, all[1].NetworkTier = decision.Some(130.0), 9
	in.sequence++ // one is lost
	changed := all[2]
	changed.RTTMillis++
	send(t, in.collector, all)
	in.wait(t, "SELECT count(*) = 1 FROM compression_telemetry WHERE event_id = $1", all[2].EventID.String())
	send(t, in.collector, append(all[10:20:20], changed))
	in.wait(t, "SELECT sum(received) = $1 FROM compression_telemetry_batches", in.sequence/81*91)
	send(t, in.forbidden, all[:4])
	send(t, in.agent, all[:4])
	for range 40 {
		in.knock(t)
	}
}

// knock comes in plaintext and waits until it is turned away.
func (in *installation) knock(t *testing.T) {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", in.locked.GRPC)
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	_, err = io.WriteString(conn, "not a TLS handshake")
	require.NoError(t, err)
	_, _ = io.Copy(io.Discard, conn) // until it is closed, or reset
}

func (in *installation) wait(t *testing.T, query string, args ...any) {
	t.Helper()
	require.Eventually(t, func() bool {
		var is *bool
		require.NoError(t, in.conn.QueryRow(t.Context(), query, args...).Scan(&is))
		return is != nil && *is
	}, waitLimit, waitTick, query)
}

// send puts decisions on the wire as DWCP does and waits for the answer, which a
// parallel backend does not spoil.
func send(t *testing.T, to *collector.Process, decisions []decision.Decision) {
	t.Helper()
	logs := plog.NewLogs()
	resource := logs.ResourceLogs().AppendEmpty()
	decisionlog.EncodeResource(&decisions[0], resource.Resource())
	records := resource.ScopeLogs().AppendEmpty().LogRecords()
	for i := range decisions {
		decisionlog.Encode(&decisions[i], records.AppendEmpty())
	}
	conn, err := grpc.NewClient(to.GRPC, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), waitLimit)
	defer cancel()
	_, err = plogotlp.NewGRPCClient(conn).Export(ctx, plogotlp.NewExportRequestFromLogs(logs))
	require.NoError(t, err)
}

// metrics are all collectors' lines.
func (in *installation) metrics(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for _, p := range []*collector.Process{in.collector, in.forbidden, in.agent, in.locked} {
		all.WriteString(get(t, "http://"+p.Metrics+"/metrics"))
	}
	return all.String()
}

// settle waits until the metrics that only trouble brings are there.
func (in *installation) settle(t *testing.T) {
	t.Helper()
	for _, sign := range []string{
		`pgtelemetry_records{outcome="conflict"}`, "besteffort_lost", "keeptrying_refused{", "pgtelemetry_failures{", "ingress_refused{",
		`pgtelemetry_maintenance{round="done"}`, "pgtelemetry_partitions_expired", "pgtelemetry_recorder_numbered",
	} {
		require.Eventually(t, func() bool { return strings.Contains(in.metrics(t), sign) }, waitLimit, waitTick, sign)
	}
}

func get(t *testing.T, url string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, response.StatusCode, "%s: %s", url, body)
	return string(body)
}
