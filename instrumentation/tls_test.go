package instrumentation

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

// identity is a certificate that vouches for itself, and its files.
type identity struct {
	certFile, keyFile string
	pair              tls.Certificate
	pool              *x509.CertPool
}

func newIdentity(t *testing.T) identity {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)

	dir := t.TempDir()
	id := identity{certFile: filepath.Join(dir, "cert.pem"), keyFile: filepath.Join(dir, "key.pem"), pool: x509.NewCertPool()}
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
	require.NoError(t, os.WriteFile(id.certFile, certPEM, 0o600))
	require.NoError(t, os.WriteFile(id.keyFile, keyPEM, 0o600))
	id.pair, err = tls.X509KeyPair(certPEM, keyPEM)
	require.NoError(t, err)
	require.True(t, id.pool.AppendCertsFromPEM(certPEM))
	return id
}

func TestMutualTLSAsTheEnvironmentSays(t *testing.T) {
	server, client := newIdentity(t), newIdentity(t)
	c := startCollector(t, nil, grpc.Creds(credentials.NewTLS(&tls.Config{
		Certificates: []tls.Certificate{server.pair}, ClientCAs: client.pool, ClientAuth: tls.RequireAndVerifyClientCert,
	})))
	setEnvironment(t, map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT": "https://" + c.address, "OTEL_EXPORTER_OTLP_CERTIFICATE": server.certFile,
		"OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": client.certFile, "OTEL_EXPORTER_OTLP_CLIENT_KEY": client.keyFile,
	})
	r := fromEnv(t)
	recordSome(r, 2)
	require.NoError(t, r.Shutdown(within(t)))
	require.Len(t, c.decisions(t), 2)
}

func TestCertificateOfAStrangerGetsNothing(t *testing.T) {
	server, other := newIdentity(t), newIdentity(t)
	c := startCollector(t, nil, grpc.Creds(credentials.NewServerTLSFromCert(&server.pair)))
	setEnvironment(t, map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT": "https://" + c.address, "OTEL_EXPORTER_OTLP_CERTIFICATE": other.certFile,
	})
	told := make(chan error, 1)
	r := fromEnv(t, WithErrorHandler(otel.ErrorHandlerFunc(func(err error) { told <- err })))
	recordSome(r, 1)
	require.ErrorContains(t, <-told, "trying again: Unavailable", "it might be mended, so it is tried again")
	require.Empty(t, c.logs())
	require.EqualValues(t, 1, r.Stats().Pending)
}

func TestFilesThatAreNoCertificatesStopTheStart(t *testing.T) {
	t.Parallel()
	id := newIdentity(t)
	env := environmentOf(map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT": "https://gateway", "OTEL_EXPORTER_OTLP_CERTIFICATE": id.keyFile,
		"OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": id.certFile, "OTEL_EXPORTER_OTLP_CLIENT_KEY": id.certFile,
	})
	env.senderConfig()
	require.Len(t, env.problems, 2)
	require.ErrorContains(t, env.problems[0], "OTEL_EXPORTER_OTLP_CERTIFICATE: must name a file of PEM certificates")
	require.ErrorContains(t, env.problems[1], "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: load it with OTEL_EXPORTER_OTLP_CLIENT_KEY: tls: ")
}
