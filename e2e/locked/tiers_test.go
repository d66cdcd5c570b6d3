package locked

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/e2e/e2etest"
	"github.com/novacron/dwcp-telemetry/internal/certtest"
	"github.com/novacron/dwcp-telemetry/internal/collector"
)

// The agent listens on loopback; what it sends to its gateway goes over a network.
func TestAnAgentReachesAGatewayThatIsLocked(t *testing.T) {
	for name, c := range map[string]struct {
		gateway, agent []string // overlays, after their own
		env            func(*testing.T, *site) []string
	}{
		"certificate": {[]string{tlsOverlay}, nil, func(t *testing.T, s *site) []string {
			t.Helper()
			certificate, key := s.clients.Issue(t, "agent", certtest.Valid()).Write(t, s.dir, "agent")
			return []string{"DWCP_GATEWAY_CERT=" + certificate, "DWCP_GATEWAY_KEY=" + key}
		}},
		"token": {[]string{tlsOverlay, tokenOverlay}, []string{"deploy/agent-token.yaml"}, func(_ *testing.T, s *site) []string {
			return []string{"DWCP_GATEWAY_TOKEN_FILE=" + s.path("tokens")}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, "", append([]string{"deploy/gateway.yaml"}, c.gateway...)...).start(t)
			options := e2etest.AgentOptions(t, s.GRPC, c.agent...)
			options.Env = append(options.Env, "DWCP_GATEWAY_INSECURE=false", "DWCP_GATEWAY_CA="+s.path("ca.crt"))
			options.Env = append(options.Env, c.env(t, s)...)
			agent, err := collector.Start(t.Context(), options)
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, agent.Stop()) })
			r, _ := s.recorder(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://" + agent.GRPC})
			record(t, r, 7)
			flush(t, r)
			s.requireStored(t, 7)
			s.say(agent.Log())
		})
	}
}
