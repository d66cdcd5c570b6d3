package instrumentation

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"

	"google.golang.org/grpc/credentials"
)

// variable is one that names a file.
type variable struct{ name, file string }

// tlsFiles are those that TLS needs. A DWCP process may outlive its
// certificates, so they are read again for each connection.
type tlsFiles struct{ authorities, certificate, key variable } // files may be empty

func (f tlsFiles) read() (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if f.authorities.file != "" {
		pem, err := os.ReadFile(f.authorities.file)
		if err != nil {
			return nil, fmt.Errorf("%s: read the certificates of trusted authorities: %w", f.authorities.name, err)
		}
		if c.RootCAs = x509.NewCertPool(); !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s: must name a file of PEM certificates, got %q", f.authorities.name, f.authorities.file)
		}
	}
	if f.certificate.file != "" {
		pair, err := tls.LoadX509KeyPair(f.certificate.file, f.key.file)
		if err != nil {
			return nil, fmt.Errorf("%s: load it with %s: %w", f.certificate.name, f.key.name, err)
		}
		// Shown whatever the server asks for: its log then says why it will not do,
		// and not that there was none.
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
	}
	return c, nil
}

// freshTLS secures each connection with what the files hold then.
type freshTLS struct {
	credentials.TransportCredentials
	files tlsFiles
}

func newFreshTLS(files tlsFiles) credentials.TransportCredentials {
	return &freshTLS{credentials.NewTLS(&tls.Config{MinVersion: tls.VersionTLS12}), files}
}

func (f *freshTLS) ClientHandshake(ctx context.Context, authority string, raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	config, err := f.files.read()
	if err != nil {
		return nil, nil, err
	}
	return credentials.NewTLS(config).ClientHandshake(ctx, authority, raw)
}

func (f *freshTLS) Clone() credentials.TransportCredentials { return newFreshTLS(f.files) }
