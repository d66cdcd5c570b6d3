package e2e

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/e2e/e2etest"
	"github.com/novacron/dwcp-telemetry/internal/collector"
	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
)

// startTier starts an agent or a gateway.
func startTier(t *testing.T, options collector.Options, admin string) *pipeline {
	t.Helper()
	p := &pipeline{admin: admin, options: options}
	p.start(t)
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(p.Log())
		}
		require.NoError(t, p.Stop())
	})
	return p
}

// tiers are an agent and its gateways, which write into one database.
type tiers struct {
	*pipeline // the agent
	names     *e2etest.Gateways
	writer    string
	gateways  []*pipeline
}

func startTiers(t *testing.T, overlays ...string) *tiers {
	t.Helper()
	admin := pgtest.Database(t)
	s := &tiers{names: e2etest.NewGateways(t), writer: pgtest.Login(t, admin, "dwcp_writer")}
	s.pipeline = startTier(t, e2etest.AgentOptions(t, s.names.Target(), overlays...), admin)
	return s
}

// join starts the next gateway and makes its name known.
func (s *tiers) join(t *testing.T, overlays ...string) *pipeline {
	t.Helper()
	g := startTier(t, e2etest.GatewayOptions(t, s.names, len(s.gateways), s.writer, overlays...), s.admin)
	s.gateways = append(s.gateways, g)
	s.names.Are(len(s.gateways))
	return g
}

// overlay is a file with that text.
func overlay(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "overlay.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// plain is for a server that knows no zstd.
const plain = "exporters: {otlp_grpc/gateways: {compression: none}}\n"

// What an agent keeps and sends holds neither a raw VM id nor anything else that is
// not part of the event, and a gateway that is sent one by somebody else stores it nowhere.
func TestAVMIDLeavesNoAgentAndEntersNoGateway(t *testing.T) {
	backend := startBackend(t)
	backend.refuse.Store(true) // so that all that comes in stays in the queue on disk
	agent := startTier(t, e2etest.AgentOptions(t, backend.address, overlay(t, plain)), "")
	logs, valid, invalid := everyWay()
	raw := plog.NewLogs()
	logs.CopyTo(raw)
	agent.send(t, logs)
	queued := readAll(t, agent.queueDir())
	require.Contains(t, queued, "-everyway", "the decisions are in the queue's files")
	require.NotContains(t, queued, secretVM)
	backend.refuse.Store(false)
	backend.wait(t, valid+invalid)
	sent, others := backend.split(t)
	require.Contains(t, sent, "-everyway")
	require.NotContains(t, sent, secretVM)
	require.NotContains(t, sent, "dwcp.oracle", "labels are the gateways' work")
	require.Empty(t, others, "what is no decision ends at the agent")
	require.NotContains(t, agent.Log(), secretVM)

	s := startTiers(t)
	gateway := s.join(t)
	direct := *gateway.Process
	direct.GRPC = s.names.Address(0)
	(&pipeline{Process: &direct}).send(t, raw)
	conn := pgtest.Connect(t, s.admin)
	require.Equal(t, valid+invalid, queryInt(t, conn, "SELECT count(*) FROM compression_telemetry_rejected"), "committed before it is acknowledged")
	require.Zero(t, queryInt(t, conn, "SELECT count(*) FROM compression_telemetry"))
	require.NotContains(t, queryText(t, conn, "SELECT *, encode(original, 'escape') FROM compression_telemetry_rejected"), secretVM)
	require.NotContains(t, gateway.Log(), secretVM)
	require.NoDirExists(t, gateway.queueDir())
}

// Both together do with valid and invalid decisions what one collector does.
func TestThroughAnAgentAndAGatewayTheTablesAreThoseOfOneCollector(t *testing.T) {
	all := decisions(300)
	all[3].NetworkTier, all[5].HDECPUUsage = 9, decision.Some(109.55)
	tables := map[string]string{}
	for name, start := range map[string]func() *pipeline{
		"one": func() *pipeline { return startPipeline(t) },
		"two": func() *pipeline {
			s := startTiers(t)
			s.join(t)
			return s.pipeline
		},
	} {
		p := start()
		record(t, p.recorder(t), all)
		conn := pgtest.Connect(t, p.admin)
		waitReceived(t, conn, len(all))
		for _, table := range []string{"compression_telemetry", "compression_telemetry_rejected"} {
			tables[name] += queryText(t, conn, `SELECT to_jsonb(r) - '{id,ingested_at,received_at,oracle_computation_time_ms,recorder_id,recorder_sequence,original,digest}'::text[]
				FROM `+table+` AS r ORDER BY event_id`)
		}
	}
	require.NotEmpty(t, tables["one"])
	require.Equal(t, tables["one"], tables["two"])
}

// deploy/gateway.yaml repeats deploy/ack-on-commit.yaml, so that nobody starts a
// gateway without it.
func TestAGatewayAcknowledgesOnCommit(t *testing.T) {
	t.Parallel()
	names := e2etest.NewGateways(t)
	options := e2etest.GatewayOptions(t, names, 0, "postgres:///none")
	alone := run(t, &pipeline{options: options}, "print-config")
	root, err := collector.Root()
	require.NoError(t, err)
	options.Configs = append(options.Configs, filepath.Join(root, "deploy", "ack-on-commit.yaml"))
	require.Equal(t, alone, run(t, &pipeline{options: options}, "print-config"))
	require.Contains(t, alone, "wait_for_result: true")
}

// What is wrong with an agent's own variables is told before it starts.
func TestAnAgentWithoutGatewaysOrKeyDoesNotStart(t *testing.T) {
	t.Parallel()
	for missing, want := range map[string]string{
		"DWCP_GATEWAYS":  "DWCP_GATEWAYS: must be set in the environment",
		"DWCP_VM_ID_KEY": "processors::oraclelabel: keys::0::key: set key",
	} {
		options := e2etest.AgentOptions(t, "127.0.0.1:4317")
		options.Env = append(options.Env, missing+"=")
		_, err := collector.Start(t.Context(), options)
		require.ErrorContains(t, err, want)
	}
}

// Two that write into one queue would each lose what the other has.
func TestTwoCollectorsDoNotShareAQueue(t *testing.T) {
	t.Parallel()
	first := e2etest.AgentOptions(t, "127.0.0.1:1")
	startTier(t, first, "")
	second := e2etest.AgentOptions(t, "127.0.0.1:1")
	second.Env = append(second.Env, "DWCP_QUEUE_DIR="+filepath.Join(first.Dir, "queue"))
	_, err := collector.Start(t.Context(), second)
	require.ErrorContains(t, err, "open the queue on disk: timeout (its directory must be writable and no other running collector's")
}

// Whoever stops an agent does not wait as long as its exporter does for an answer. What
// is under way then is in the queue.
func TestAnAgentWhoseGatewaysDoNotAnswerEndsAndLosesNothing(t *testing.T) {
	t.Parallel()
	backend := startBackend(t)
	backend.silent.Store(true)
	agent := startTier(t, e2etest.AgentOptions(t, backend.address, overlay(t, plain),
		overlay(t, "exporters: {otlp_grpc/gateways: {timeout: 1h}}\n")), "")
	logs, valid, invalid := everyWay()
	const consumers, requests = 4, 6 // some wait for those under way
	for i := range requests {
		agent.send(t, logs)
		require.Eventually(t, func() bool { return backend.held.Load() >= int64(min(i+1, consumers)) }, waitLimit, waitTick)
	}
	require.NoError(t, agent.Stop(), "it is not killed")
	backend.silent.Store(false)
	agent.start(t)
	backend.wait(t, requests*(valid+invalid))
}

// bbolt, file_storage's database, panics over some damages, where nobody can catch it. It
// must never begin an empty queue over the file.
func TestAQueueWhoseFileIsDamagedDoesNotBeginEmpty(t *testing.T) {
	t.Parallel()
	agent := startTier(t, e2etest.AgentOptions(t, "127.0.0.1:1"), "")
	logs, _, _ := everyWay()
	agent.send(t, logs)
	require.NoError(t, agent.Stop())
	file := filepath.Join(agent.queueDir(), "exporter_otlp_grpc_gateways_logs")
	whole, err := os.ReadFile(file)
	require.NoError(t, err)
	const heads = 2 * 4096
	for want, damaged := range map[string][]byte{
		"open the queue on disk: invalid database": append(make([]byte, heads), whole[heads:]...),
		"it ended at once":                         append(append([]byte{}, whole[:heads]...), make([]byte, len(whole)-heads)...),
	} {
		require.NoError(t, os.WriteFile(file, damaged, 0o600))
		_, err := collector.Start(t.Context(), agent.options)
		require.ErrorContains(t, err, want)
	}
	require.NoError(t, os.WriteFile(file, whole, 0o600))
	agent.start(t)
}
