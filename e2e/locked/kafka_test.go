package locked

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/novacron/dwcp-telemetry/e2e/e2etest"
	"github.com/novacron/dwcp-telemetry/e2e/kafkatest"
	"github.com/novacron/dwcp-telemetry/internal/certtest"
	"github.com/novacron/dwcp-telemetry/internal/collector"
	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
)

const (
	kafkaTopic    = "dwcp-decisions"
	kafkaGroup    = "dwcp-gateways"
	kafkaPassword = "pa55-of-kafka-31"
	saslOverlay   = "deploy/kafka/sasl.yaml"
)

// kafkaSite is a Kafka that lets in agents and gateways only, with the permissions
// that docs/kafka.md names.
type kafkaSite struct {
	*site // its files, its database, and all that was said
	*kafkatest.Secured
	quicker string // an overlay
}

func newKafkaSite(t *testing.T) *kafkaSite {
	t.Helper()
	s := &kafkaSite{site: &site{dir: t.TempDir(), servers: certtest.New(t), clients: certtest.New(t), admin: pgtest.Database(t)}}
	s.Secured = kafkatest.StartSecured(t, s.servers.Issue(t, loopback, certtest.Valid()), s.clients)
	_, err := s.Admin.CreateTopic(t.Context(), 16, 1, nil, kafkaTopic)
	require.NoError(t, err)
	s.put(t, "ca.crt", s.servers.PEM)
	s.put(t, "quicker.yaml", []byte(`receivers:
  kafka: {autocommit: {interval: 100ms}, session_timeout: 3s, heartbeat_interval: 300ms}
connectors:
  vmpartition: {sending_queue: {batch: {flush_timeout: 20ms}}, retry_on_failure: {initial_interval: 100ms, max_interval: 200ms}}
`))
	s.quicker = s.path("quicker.yaml")
	for _, name := range []string{"agent", "gateway", "nobody"} {
		s.AddUser(t, name, kafkaPassword)
		s.clients.Issue(t, name, certtest.Valid()).Write(t, s.dir, name)
	}
	s.Allow(t, kadm.NewACLs().Topics(kafkaTopic).Operations(kadm.OpWrite).Allow("User:agent", "User:CN=agent").AllowHosts())
	s.Allow(t, kadm.NewACLs().Topics(kafkaTopic).Operations(kadm.OpRead).Allow("User:gateway", "User:CN=gateway").AllowHosts())
	s.Allow(t, kadm.NewACLs().Groups(kafkaGroup).Operations(kadm.OpRead).Allow("User:gateway", "User:CN=gateway").AllowHosts())
	return s
}

// withPassword and withCertificate are what a client's environment says beside the CA.
func (s *kafkaSite) withPassword(user, password string) []string {
	return []string{"DWCP_KAFKA_BROKERS=" + s.ByPassword, "DWCP_KAFKA_USER=" + user, "DWCP_KAFKA_PASSWORD=" + password}
}

func (s *kafkaSite) withCertificate(name string) []string {
	return []string{"DWCP_KAFKA_BROKERS=" + s.ByCertificate, "DWCP_KAFKA_CERT=" + s.path(name+".crt"), "DWCP_KAFKA_KEY=" + s.path(name+".key")}
}

// overlays are the tests' own, and that for passwords where the environment has one.
func (s *kafkaSite) overlays(env []string) []string {
	if strings.Contains(strings.Join(env, " "), "DWCP_KAFKA_USER=") {
		return []string{saslOverlay, s.quicker}
	}
	return []string{s.quicker}
}

func (s *kafkaSite) agent(t *testing.T, env []string) collector.Options {
	t.Helper()
	o := e2etest.KafkaAgentOptions(t, s.Addresses(), s.overlays(env)...)
	o.Env = append(append(o.Env, "DWCP_KAFKA_INSECURE=false", "DWCP_KAFKA_CA="+s.path("ca.crt")), env...)
	return o
}

func (s *kafkaSite) gateway(t *testing.T, env []string) collector.Options {
	t.Helper()
	o := e2etest.KafkaGatewayOptions(t, s.Addresses(), pgtest.Login(t, s.admin, "dwcp_writer"), s.overlays(env)...)
	o.Env = append(append(o.Env, "DWCP_KAFKA_INSECURE=false", "DWCP_KAFKA_CA="+s.path("ca.crt")), env...)
	return o
}

// during runs a collector while something is done, and keeps what it says.
func (s *kafkaSite) during(t *testing.T, o collector.Options, do func(p *collector.Process)) {
	t.Helper()
	p, err := collector.Start(t.Context(), o)
	require.NoError(t, err)
	defer func() {
		if t.Failed() {
			t.Log(p.LogTail())
		}
		require.NoError(t, p.Stop())
		require.NotContains(t, p.Log(), kafkaPassword)
		require.NotContains(t, p.Log(), "PRIVATE KEY")
	}()
	do(p)
}

func sendTo(t *testing.T, p *collector.Process, n int) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+p.HTTP+"/v1/logs", bytes.NewReader(request(t, n)))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/x-protobuf")
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusOK, response.StatusCode)
}

func TestKafkaLetsInWhoHasAPasswordOrACertificateAndThePermissionsOfTheDocument(t *testing.T) { //nolint:tparallel // its steps need their order
	t.Parallel()
	s := newKafkaSite(t)
	for i, way := range []func(string) []string{
		func(name string) []string { return s.withPassword(name, kafkaPassword) }, s.withCertificate,
	} {
		s.during(t, s.gateway(t, way("gateway")), func(*collector.Process) {
			s.during(t, s.agent(t, way("agent")), func(p *collector.Process) {
				sendTo(t, p, 20)
				s.requireStored(t, 20*(i+1))
			})
		})
	}
	for name, env := range map[string][]string{"password": s.withPassword("nobody", kafkaPassword), "certificate": s.withCertificate("agent")} {
		t.Run("a gateway that may not read, with a "+name, func(t *testing.T) {
			s.during(t, s.gateway(t, env), func(p *collector.Process) {
				require.Eventually(t, func() bool { return strings.Contains(p.Log(), "AUTHORIZATION_FAILED") }, waitLimit, waitTick)
			})
		})
	}

	// What an agent cannot get rid of it keeps, says why, and sends once it may.
	queues := s.refusedAgents(t)
	s.during(t, s.gateway(t, s.withCertificate("gateway")), func(*collector.Process) {
		for i, dir := range queues {
			o := s.agent(t, s.withPassword("agent", kafkaPassword))
			o.Dir = dir
			s.during(t, o, func(*collector.Process) { s.requireStored(t, 40+5*(i+1)) })
		}
	})
}

// refusedAgents runs agents that Kafka must not take anything from, has each take 5 decisions,
// and returns the folders with their queues.
func (s *kafkaSite) refusedAgents(t *testing.T) (queues []string) {
	t.Helper()
	s.put(t, "other-ca.crt", certtest.New(t).PEM)
	certtest.New(t).Issue(t, "agent", certtest.Valid()).Write(t, s.dir, "stranger")
	const unknownCA = "certificate signed by unknown authority"
	t.Run("agents that are refused", func(t *testing.T) {
		for _, c := range []struct {
			name, says string
			env        []string
		}{
			{"wrong password", "SASL_AUTHENTICATION_FAILED", s.withPassword("agent", "wrong")},
			{"no such user", "SASL_AUTHENTICATION_FAILED", s.withPassword("stranger", kafkaPassword)},
			{"a user who may not write", "TOPIC_AUTHORIZATION_FAILED", s.withPassword("nobody", kafkaPassword)},
			{"a certificate that may not write", "TOPIC_AUTHORIZATION_FAILED", s.withCertificate("nobody")},
			{"a certificate of another CA", "remote error: tls: ", s.withCertificate("stranger")},
			{"no certificate", "remote error: tls: ", []string{"DWCP_KAFKA_BROKERS=" + s.ByCertificate}},
			{"a broker of another CA", unknownCA, append(s.withPassword("agent", kafkaPassword), "DWCP_KAFKA_CA="+s.path("other-ca.crt"))},
			{"plaintext", "speaking to a tls endpoint", append(s.withPassword("agent", kafkaPassword), "DWCP_KAFKA_INSECURE=true", "DWCP_KAFKA_CA=")},
		} {
			o := s.agent(t, c.env)
			o.Dir = filepath.Join(s.dir, c.name)
			require.NoError(t, os.Mkdir(o.Dir, 0o700))
			queues = append(queues, o.Dir)
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				s.during(t, o, func(p *collector.Process) {
					sendTo(t, p, 5)
					require.Eventually(t, func() bool { return strings.Contains(p.Log(), c.says) }, waitLimit, waitTick, c.says)
				})
			})
		}
	})
	return queues
}
