package instrumentation

import (
	"crypto/tls"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"

	"github.com/novacron/dwcp-telemetry/internal/certtest"
)

const loopback = "127.0.0.1"

// clientFiles writes what a Recorder needs for mutual TLS with a server of ca.
func clientFiles(t *testing.T, dir string, ca *certtest.Authority, own certtest.Pair) map[string]string {
	t.Helper()
	certificate, key := own.Write(t, dir, "client")
	authorities := filepath.Join(dir, "ca.crt")
	certtest.Put(t, authorities, ca.PEM)
	return map[string]string{
		"OTEL_EXPORTER_OTLP_CERTIFICATE":        authorities,
		"OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": certificate, "OTEL_EXPORTER_OTLP_CLIENT_KEY": key,
	}
}

// sendOver sets the environment for a Recorder that sends to the collector over
// TLS.
func sendOver(t *testing.T, c *collector, variables map[string]string) {
	t.Helper()
	all := map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "https://" + c.address}
	for name, value := range variables {
		all[name] = value
	}
	setEnvironment(t, all)
}

func TestMutualTLSAsTheEnvironmentSays(t *testing.T) {
	servers, clients := certtest.New(t), certtest.New(t)
	c := startCollector(t, nil, grpc.Creds(credentials.NewTLS(&tls.Config{
		Certificates: []tls.Certificate{servers.Issue(t, loopback, certtest.Valid()).TLS(t)},
		ClientCAs:    clients.Pool(), ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS12,
	})))
	sendOver(t, c, clientFiles(t, t.TempDir(), servers, clients.Issue(t, "dwcp", certtest.Valid())))
	r := fromEnv(t)
	recordSome(r, 2)
	require.NoError(t, r.Shutdown(within(t)))
	require.Len(t, c.decisions(t), 2)
}

func TestCertificateOfAStrangerGetsNothing(t *testing.T) {
	servers, others := certtest.New(t), certtest.New(t)
	own := servers.Issue(t, loopback, certtest.Valid()).TLS(t)
	c := startCollector(t, nil, grpc.Creds(credentials.NewServerTLSFromCert(&own)))
	sendOver(t, c, map[string]string{"OTEL_EXPORTER_OTLP_CERTIFICATE": clientFiles(t, t.TempDir(), others, others.Issue(t, "dwcp", certtest.Valid()))["OTEL_EXPORTER_OTLP_CERTIFICATE"]})
	told := make(chan error, 1)
	r := fromEnv(t, WithErrorHandler(otel.ErrorHandlerFunc(func(err error) { told <- err })))
	recordSome(r, 1)
	require.ErrorContains(t, <-told, "trying again: Unavailable", "it might be mended, so it is tried again")
	require.Empty(t, c.logs())
	require.EqualValues(t, 1, r.Stats().Pending)
}

func TestFilesThatAreNoCertificatesStopTheStart(t *testing.T) {
	t.Parallel()
	certificate, key := certtest.New(t).Issue(t, loopback, certtest.Valid()).Write(t, t.TempDir(), "own")
	env := environmentOf(map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT": "https://gateway", "OTEL_EXPORTER_OTLP_CERTIFICATE": key,
		"OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": certificate, "OTEL_EXPORTER_OTLP_CLIENT_KEY": certificate,
	})
	env.senderConfig()
	require.Len(t, env.problems, 2)
	require.ErrorContains(t, env.problems[0], "OTEL_EXPORTER_OTLP_CERTIFICATE: must name a file of PEM certificates")
	require.ErrorContains(t, env.problems[1], "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: load it with OTEL_EXPORTER_OTLP_CLIENT_KEY: tls: ")
}

// side is what a server shows and whom it lets in, until it is given another.
type side struct {
	current atomic.Pointer[tls.Config]
	seen    atomic.Int64 // serial number of the newest client's certificate
}

func (s *side) use(t *testing.T, own certtest.Pair, clients *certtest.Authority) {
	t.Helper()
	s.current.Store(&tls.Config{
		Certificates: []tls.Certificate{own.TLS(t)}, ClientCAs: clients.Pool(), ClientAuth: tls.RequireAndVerifyClientCert,
		MinVersion: tls.VersionTLS12, NextProtos: []string{"h2"},
		VerifyConnection: func(state tls.ConnectionState) error {
			s.seen.Store(state.PeerCertificates[0].SerialNumber.Int64())
			return nil
		},
	})
}

func TestCertificatesAreReadAgainForEachConnection(t *testing.T) {
	first, second := certtest.New(t), certtest.New(t)
	one, two := first.Issue(t, "dwcp", certtest.Valid()), second.Issue(t, "dwcp", certtest.Valid())
	server := &side{}
	server.use(t, first.Issue(t, loopback, certtest.Valid()), first)
	c := startCollector(t, nil,
		grpc.Creds(credentials.NewTLS(&tls.Config{
			MinVersion:         tls.VersionTLS12,
			GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return server.current.Load(), nil },
		})),
		grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionAge: 100 * time.Millisecond}))
	dir := t.TempDir()
	sendOver(t, c, clientFiles(t, dir, first, one))
	told := &troubles{}
	r := fromEnv(t, WithErrorHandler(told))
	recordSome(r, 1)
	require.NoError(t, r.ForceFlush(within(t)))
	require.Equal(t, one.Serial, server.seen.Load())

	// All is new on both sides, the CA too.
	server.use(t, second.Issue(t, loopback, certtest.Valid()), second)
	clientFiles(t, dir, second, two)
	sent := 1
	require.EventuallyWithT(t, func(t *assert.CollectT) {
		sent++
		recordSome(r, 1)
		require.Equal(t, two.Serial, server.seen.Load())
	}, time.Minute, 20*time.Millisecond)
	require.NoError(t, r.ForceFlush(within(t)))

	// A file that is half written is told, and tried again.
	require.NoError(t, os.WriteFile(filepath.Join(dir, "client.key"), []byte("half"), 0o600))
	require.EventuallyWithT(t, func(t *assert.CollectT) {
		sent++
		recordSome(r, 1)
		require.Contains(t, told.text(), "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: load it with OTEL_EXPORTER_OTLP_CLIENT_KEY: tls: ")
	}, time.Minute, 20*time.Millisecond)
	clientFiles(t, dir, second, two)
	require.NoError(t, r.Shutdown(within(t)))
	require.Len(t, c.decisions(t), sent)
	require.NotContains(t, told.text(), "PRIVATE KEY")
}
