package kafkatest

import (
	"bytes"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/novacron/dwcp-telemetry/internal/certtest"
	"github.com/novacron/dwcp-telemetry/internal/collector"
)

// Secured is a broker whose clients say who they are, by a password
// (SCRAM-SHA-512) or a certificate, both over TLS, and may do what an ACL allows.
// Admin may do all.
type Secured struct {
	*Cluster
	ByPassword, ByCertificate string // addresses
}

// StartSecured starts a broker that shows a certificate and trusts those that clients
// issues.
func StartSecured(t testing.TB, own certtest.Pair, clients *certtest.Authority) *Secured {
	t.Helper()
	c := newCluster(t, 1)
	b := c.Brokers[0]
	more, err := collector.FreeAddresses(2)
	require.NoError(t, err)
	s := &Secured{Cluster: c, ByPassword: more[0], ByCertificate: more[1]}
	keystore, truststore := filepath.Join(b.dir, "own.pem"), filepath.Join(b.dir, "clients.pem")
	certtest.Put(t, keystore, bytes.Join([][]byte{own.Key, own.Certificate}, nil))
	certtest.Put(t, truststore, clients.PEM)
	b.listeners = fmt.Sprintf(`listeners=PLAINTEXT://%[1]s,CONTROLLER://%[2]s,PASSWORD://%[3]s,CERTIFICATE://%[4]s
advertised.listeners=PLAINTEXT://%[1]s,PASSWORD://%[3]s,CERTIFICATE://%[4]s
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,PASSWORD:SASL_SSL,CERTIFICATE:SSL
sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.password.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.certificate.ssl.client.auth=required
ssl.keystore.type=PEM
ssl.keystore.location=%[5]s
ssl.truststore.type=PEM
ssl.truststore.location=%[6]s
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
`, b.address, b.controller, s.ByPassword, s.ByCertificate, keystore, truststore)
	c.start(t)
	return s
}

// AddUser gives a user a password.
func (s *Secured) AddUser(t testing.TB, name, password string) {
	t.Helper()
	results, err := s.Admin.AlterUserSCRAMs(t.Context(), nil, []kadm.UpsertSCRAM{{User: name, Mechanism: kadm.ScramSha512, Iterations: 4096, Password: password}})
	require.NoError(t, err)
	require.NoError(t, results.Error())
}

// Allow allows users, "User:NAME" or "User:CN=NAME" by certificate, an operation on a topic or group.
func (s *Secured) Allow(t testing.TB, acl *kadm.ACLBuilder) {
	t.Helper()
	results, err := s.Admin.CreateACLs(t.Context(), acl)
	require.NoError(t, err)
	for _, r := range results {
		require.NoError(t, r.Err, r.ErrMessage)
	}
}
