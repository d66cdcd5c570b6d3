package dashboard

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// writePair writes a certificate of its own for localhost, and its key, and
// returns what trusts it. Its number tells it from others.
func writePair(t *testing.T, dir string, number int64) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(number), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	at := time.Date(2026, 1, 1, 0, 0, int(number), 0, time.UTC) // each write is a change, however quick
	for name, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: der}, "key.pem": {Type: "PRIVATE KEY", Bytes: pkcs8}} {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, pem.EncodeToMemory(block), 0o600))
		require.NoError(t, os.Chtimes(path, at, at))
	}
	certificate, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(certificate)
	return pool
}

// number is that of the certificate which a new connection is shown.
func (s *testServer) number(t *testing.T, trusted *x509.CertPool) int64 {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: trusted, ServerName: "localhost"}}}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"healthz", http.NoBody)
	require.NoError(t, err)
	answer := do(t, client, request)
	require.Equal(t, http.StatusOK, answer.StatusCode)
	require.Equal(t, "max-age=31536000", answer.Header.Get("Strict-Transport-Security"))
	return answer.TLS.PeerCertificates[0].SerialNumber.Int64()
}

func TestACertificateIsRotatedWithoutARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	trusted := writePair(t, dir, 1)
	config := withToken(testConfig(away))
	config.CertFile, config.KeyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	s := serve(t, config)
	require.Regexp(t, "^https://", s.url)
	require.EqualValues(t, 1, s.number(t, trusted))

	second := writePair(t, dir, 2)
	require.EqualValues(t, 2, s.number(t, second))

	require.NoError(t, os.WriteFile(config.KeyFile, []byte("half written"), 0o600))
	require.EqualValues(t, 2, s.number(t, second), "the old pair stays")
	require.Contains(t, s.log.String(), "the new certificate cannot be used; the old one stays")
	third := writePair(t, dir, 3)
	require.EqualValues(t, 3, s.number(t, third))
}

func TestPlaintextAndOldTLSAreRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	trusted := writePair(t, dir, 1)
	config := withToken(testConfig(away))
	config.CertFile, config.KeyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	s := serve(t, config)
	address := s.listener.Addr().String()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/healthz", http.NoBody)
	require.NoError(t, err)
	require.Equal(t, http.StatusBadRequest, do(t, http.DefaultClient, request).StatusCode)
	_, err = tls.Dial("tcp", address, &tls.Config{RootCAs: trusted, ServerName: "localhost", MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11})
	require.ErrorContains(t, err, "protocol version")
}

func TestWithoutItsCertificateItDoesNotStart(t *testing.T) {
	t.Parallel()
	config := withToken(testConfig(away))
	config.CertFile, config.KeyFile = filepath.Join(t.TempDir(), "cert.pem"), "key.pem"
	_, err := Listen(config)
	require.ErrorContains(t, err, "tls-cert: ")
	require.ErrorContains(t, err, "no such file")
}
