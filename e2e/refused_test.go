package e2e

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/e2e/e2etest"
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

// certificate is the one that httptest has for example.com, and its key.
func certificate(t *testing.T) (certFile, keyFile string) {
	t.Helper()
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	pair := server.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	require.NoError(t, err)
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "server.crt"), filepath.Join(dir, "server.key")
	for path, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: pair.Certificate[0]}, keyFile: {Type: "PRIVATE KEY", Bytes: key}} {
		require.NoError(t, os.WriteFile(path, pem.EncodeToMemory(block), 0o600))
	}
	_, err = tls.LoadX509KeyPair(certFile, keyFile)
	require.NoError(t, err)
	return certFile, keyFile
}

func TestWithAWrongTokenAnAgentKeepsEverythingUntilItHasTheRightOne(t *testing.T) {
	const wrong, right = "token-of-yesterday", "token-of-today"
	certFile, keyFile := certificate(t)
	tokens := t.TempDir()
	put := func(name, token string) string { // in one step, as one who rotates it should
		path := filepath.Join(tokens, name)
		require.NoError(t, os.WriteFile(path+".new", []byte(token), 0o600))
		require.NoError(t, os.Rename(path+".new", path))
		return path
	}
	secured := overlay(t, `receivers: {otlp: {protocols: {grpc: {tls: {cert_file: `+certFile+`, key_file: `+keyFile+`}, auth: {authenticator: bearertokenauth}}}}}
extensions: {bearertokenauth: {filename: `+put("gateway", right)+`}}
service: {extensions: [health_check, bearertokenauth]}
`)
	admin := pgtest.Database(t)
	s := &tiers{names: e2etest.NewGateways(t), writer: pgtest.Login(t, admin, "dwcp_writer")}
	options := e2etest.AgentOptions(t, s.names.Target(), "deploy/agent-token.yaml",
		overlay(t, "exporters: {otlp_grpc/gateways: {tls: {server_name_override: example.com}, retry_on_failure: {max_interval: 1s}}}\n"))
	options.Env = append(options.Env, "DWCP_GATEWAY_INSECURE=false", "DWCP_GATEWAY_CA="+certFile, "DWCP_GATEWAY_TOKEN_FILE="+put("agent", wrong))
	s.pipeline = startTier(t, options, admin)
	gateway := s.join(t, secured)

	all := decisions(300)
	recorder := s.recorder(t)
	record(t, recorder, all)
	flush(t, recorder) // acknowledged by the agent
	s.requireKept(t, "Unauthenticated", "give this client the token or certificate that the server wants")
	put("agent", right)
	s.requireStored(t, len(all))
	for _, log := range []string{s.Log(), gateway.Log(), get(t, "http://"+s.Metrics+"/metrics")} {
		require.NotContains(t, log, wrong)
		require.NotContains(t, log, right)
	}
}

func TestWhatIsTooLargeForAGatewayIsKeptUntilItsLimitIsRaised(t *testing.T) {
	s := startTiers(t, overlay(t, "exporters: {otlp_grpc/gateways: {retry_on_failure: {max_interval: 1s}}}\n"))
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
	s := startTiers(t, overlay(t, "exporters: {otlp_grpc/gateways: {retry_on_failure: {max_interval: 1s}}}\n"))
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
