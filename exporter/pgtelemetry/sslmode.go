package pgtelemetry

import (
	"crypto/tls"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5/pgconn"
)

// SSLMode is one of libpq's words for how much TLS is asked for.
type SSLMode string

// The modes that can be a least one, each with more than the one before.
const (
	sslAny        SSLMode = ""
	sslRequire    SSLMode = "require"
	sslVerifyCA   SSLMode = "verify-ca"
	sslVerifyFull SSLMode = "verify-full"
)

var sslModes = []SSLMode{sslAny, sslRequire, sslVerifyCA, sslVerifyFull}

func (m SSLMode) validate() error {
	if !slices.Contains(sslModes, m) {
		return fmt.Errorf("min_sslmode: must be require, verify-ca or verify-full, got %q", string(m))
	}
	return nil
}

// permits looks at what a connection would do, not at the DSN's words: sslmode
// may come from PGSSLMODE or a service file, and several hosts, or a mode that
// falls back to plaintext, are several ways to connect.
func (m SSLMode) permits(conn *pgconn.Config) error {
	ways := append([]*pgconn.FallbackConfig{{Host: conn.Host, Port: conn.Port, TLSConfig: conn.TLSConfig}}, conn.Fallbacks...)
	for _, way := range ways {
		network, _ := pgconn.NetworkAddress(way.Host, way.Port)
		if network != "unix" && slices.Index(sslModes, SSLModeOf(way.TLSConfig)) < slices.Index(sslModes, m) {
			return &dsnError{"sslmode", fmt.Sprintf("must be at least %s (min_sslmode asks for it), for DSN and environment let a connection be made with less", m)}
		}
	}
	return nil
}

// SSLModeOf is the mode that pgx has made a TLS configuration for, "" for plaintext.
func SSLModeOf(c *tls.Config) SSLMode {
	switch {
	case c == nil:
		return sslAny
	case !c.InsecureSkipVerify:
		return sslVerifyFull
	case c.VerifyPeerCertificate != nil:
		return sslVerifyCA
	}
	return sslRequire
}
