// Package certtest makes certificates for tests: an authority, and what it
// issues, valid or not.
package certtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Authority is a CA made for a test.
type Authority struct {
	PEM         []byte
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// Life is how long an authority is valid.
const Life = 365 * 24 * time.Hour

// Pair is a certificate and its key, in PEM form.
type Pair struct {
	Certificate, Key []byte
	Serial           int64
}

// Validity is when a certificate is valid.
type Validity struct{ from, until time.Time }

// Valid is for an hour yet.
func Valid() Validity { return around(-2*time.Hour, time.Hour) }

// Expired is since an hour ago.
func Expired() Validity { return around(-2*time.Hour, -time.Hour) }

// NotYetValid begins in an hour.
func NotYetValid() Validity { return around(time.Hour, 2*time.Hour) }

// For is for that long yet; below zero it has expired that long ago.
func For(left time.Duration) Validity { return around(-2*time.Hour, left) }

func around(from, until time.Duration) Validity {
	now := time.Now()
	return Validity{now.Add(from), now.Add(until)}
}

var serials atomic.Int64

// New makes an authority.
func New(t testing.TB) *Authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	valid := around(-3*time.Hour, Life)
	template := &x509.Certificate{
		// All have the same name, for it is what a client goes by: it would not even
		// show its certificate to a server that asks for those of another name.
		SerialNumber: big.NewInt(serials.Add(1)), Subject: pkix.Name{CommonName: "CA of a test"},
		NotBefore: valid.from, NotAfter: valid.until,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	certificate, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return &Authority{PEM: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), certificate: certificate, key: key}
}

// Pool trusts the authority, and it alone.
func (a *Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.certificate)
	return pool
}

// Issue makes a certificate of a host's name, an IP address or a user's name,
// for servers and clients.
func (a *Authority) Issue(t testing.TB, name string, when Validity) Pair {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serials.Add(1)), Subject: pkix.Name{CommonName: name},
		NotBefore: when.from, NotAfter: when.until, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if ip := net.ParseIP(name); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{name}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, &key.PublicKey, a.key)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	return Pair{
		Certificate: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		Key:         pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}),
		Serial:      template.SerialNumber.Int64(),
	}
}

// TLS is the pair as crypto/tls takes it.
func (p Pair) TLS(t testing.TB) tls.Certificate {
	t.Helper()
	pair, err := tls.X509KeyPair(p.Certificate, p.Key)
	require.NoError(t, err)
	return pair
}

// Write puts the pair into dir as NAME.crt and NAME.key.
func (p Pair) Write(t testing.TB, dir, name string) (certFile, keyFile string) {
	t.Helper()
	certFile, keyFile = filepath.Join(dir, name+".crt"), filepath.Join(dir, name+".key")
	Put(t, certFile, p.Certificate)
	Put(t, keyFile, p.Key)
	return certFile, keyFile
}

// Put writes a private file in one step, as one who rotates it should.
func Put(t testing.TB, path string, content []byte) {
	t.Helper()
	require.NoError(t, os.WriteFile(path+".new", content, 0o600))
	require.NoError(t, os.Rename(path+".new", path))
}
