package e2e

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/e2e/e2etest"
	"github.com/novacron/dwcp-telemetry/internal/certtest"
	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
)

// requireKept waits until the agent tells of a refusal as operators look for it,
// with an advice, and holds that nothing has been stored, nor dropped.
func (s *tiers) requireKept(t *testing.T, code, advice string) {
	t.Helper()
	require.Eventually(t, func() bool {
		page := get(t, "http://"+s.Metrics+"/metrics")
		return strings.Contains(page, `otelcol_keeptrying_refused{code="`+code+`"`)
	}, waitLimit, waitTick)
	require.Contains(t, s.Log(), "the server refuses requests for good; they are kept and tried again")
	require.Contains(t, s.Log(), advice)
	require.NotContains(t, s.Log(), "Dropping data")
	require.Zero(t, queryInt(t, pgtest.Connect(t, s.admin), "SELECT count(*) FROM compression_telemetry"))
}

func (s *tiers) requireStored(t *testing.T, decisions int) {
	t.Helper()
	conn := pgtest.Connect(t, s.admin)
	waitReceived(t, conn, decisions)
	require.Equal(t, decisions, queryInt(t, conn, "SELECT count(*) FROM compression_telemetry"))
}

// secured are the agent's and the gateways' settings for TLS, with certificates
// made for the test.
type secured struct {
	dir     string
	agent   []string // environment
	gateway []string
	client  []string // the agent's own certificate
}

func newSecured(t *testing.T) *secured {
	t.Helper()
	ca := certtest.New(t)
	c := &secured{dir: t.TempDir()}
	certFile, keyFile := ca.Issue(t, "gateways.test", certtest.Valid()).Write(t, c.dir, "gateway")
	clientCert, clientKey := ca.Issue(t, "agent", certtest.Valid()).Write(t, c.dir, "agent")
	caFile := c.put(t, "ca.pem", string(ca.PEM))
	c.gateway = []string{"DWCP_TLS_CERT=" + certFile, "DWCP_TLS_KEY=" + keyFile, "DWCP_TLS_CLIENT_CA=" + caFile}
	c.agent = []string{"DWCP_GATEWAY_INSECURE=false", "DWCP_GATEWAY_CA=" + caFile}
	c.client = []string{"DWCP_GATEWAY_CERT=" + clientCert, "DWCP_GATEWAY_KEY=" + clientKey}
	return c
}

// put writes a file and returns its path.
func (c *secured) put(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(c.dir, name)
	certtest.Put(t, path, []byte(content))
	return path
}

// startSecured starts an agent and a gateway over TLS.
func startSecured(t *testing.T, agent, gateway []string, agentOverlays, gatewayOverlays []string) *tiers {
	t.Helper()
	admin := pgtest.Database(t)
	s := &tiers{names: e2etest.NewGateways(t), writer: pgtest.Login(t, admin, "dwcp_writer")}
	options := e2etest.AgentOptions(t, s.names.Target(), append(agentOverlays, overlay(t, impatient))...)
	options.Env = append(options.Env, agent...)
	s.pipeline = startTier(t, options, admin)
	behind := e2etest.GatewayOptions(t, s.names, 0, s.writer, gatewayOverlays...)
	behind.Env = append(behind.Env, gateway...)
	s.gateways = append(s.gateways, startTier(t, behind, admin))
	s.names.Are(1)
	return s
}

// impatient shortens what a test would only wait for.
const impatient = "exporters: {otlp_grpc/gateways: {retry_on_failure: {max_interval: 1s}}}\n"

func TestWithAWrongTokenAnAgentKeepsEverythingUntilItHasTheRightOne(t *testing.T) {
	const wrong, right = "token-of-yesterday", "token-of-today"
	c := newSecured(t)
	s := startSecured(t, append(c.agent, "DWCP_GATEWAY_TOKEN_FILE="+c.put(t, "agents-token", wrong)),
		append(c.gateway, "DWCP_OTLP_TOKEN_FILE="+c.put(t, "gateways-token", right)),
		[]string{"deploy/agent-token.yaml"}, []string{"deploy/tls.yaml", "deploy/token.yaml"})
	all := decisions(300)
	recorder := s.recorder(t)
	record(t, recorder, all)
	flush(t, recorder) // acknowledged by the agent
	s.requireKept(t, "Unauthenticated", "give this client the token or certificate that the server wants")
	c.put(t, "agents-token", right)
	s.requireStored(t, len(all))
	for _, log := range []string{s.Log(), s.gateways[0].Log(), get(t, "http://"+s.Metrics+"/metrics")} {
		require.NotContains(t, log, wrong)
		require.NotContains(t, log, right)
	}
}

func TestAnAgentWithoutTheCertificateThatGatewaysWantKeepsEverythingUntilItHasOne(t *testing.T) {
	c := newSecured(t)
	s := startSecured(t, c.agent, c.gateway, nil, []string{"deploy/tls.yaml"})
	all := decisions(300)
	recorder := s.recorder(t)
	record(t, recorder, all)
	flush(t, recorder)
	require.Eventually(t, func() bool { return strings.Contains(s.Log(), "certificate required") }, waitLimit, waitTick)
	require.Zero(t, queryInt(t, pgtest.Connect(t, s.admin), "SELECT count(*) FROM compression_telemetry"))

	require.NoError(t, s.Stop())
	s.options.Env = append(s.options.Env, c.client...)
	s.start(t)
	s.requireStored(t, len(all))
}

func TestWhatIsTooLargeForAGatewayIsKeptUntilItsLimitIsRaised(t *testing.T) {
	s := startTiers(t, overlay(t, impatient))
	small := s.join(t, overlay(t, "receivers: {otlp: {protocols: {grpc: {max_recv_msg_size_mib: 1}}}}\n"))
	all := decisions(3000)
	recorder := s.recorder(t)
	record(t, recorder, all)
	flush(t, recorder)
	s.requireKept(t, "ResourceExhausted", "raise the server's max_recv_msg_size_mib")

	require.NoError(t, small.Stop())
	small.options = e2etest.GatewayOptions(t, s.names, 0, s.writer)
	small.start(t)
	s.requireStored(t, len(all))
}

// An agent may meet a gateway that takes no logs at all, or speaks none of its
// compressions: an older one, or another program at its address.
func TestWhatAGatewayOfAnotherKindRefusesIsKeptUntilTheRightOneIsThere(t *testing.T) {
	s := startTiers(t, overlay(t, impatient))
	other := s.join(t, overlay(t, `receivers: {otlp/elsewhere: {protocols: {grpc: {endpoint: 127.0.0.1:0}}}}
exporters: {nop: {}}
service: {pipelines: {logs: {receivers: [otlp/elsewhere]}, traces: {receivers: [otlp], exporters: [nop]}}}
`))
	all := decisions(300)
	recorder := s.recorder(t)
	record(t, recorder, all)
	flush(t, recorder)
	s.requireKept(t, "Unimplemented", "whether that knows logs and the client's compression")

	require.NoError(t, other.Stop())
	other.options = e2etest.GatewayOptions(t, s.names, 0, s.writer)
	other.start(t)
	s.requireStored(t, len(all))
}
