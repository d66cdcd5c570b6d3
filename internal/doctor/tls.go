package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/novacron/dwcp-telemetry/exporter/pgtelemetry"
)

// soon is when one begins to see to a new certificate.
const soon = 30 * 24 * time.Hour

// lookAtMode judges the weakest way in that the URL allows.
func (c *connection) lookAtMode(_ context.Context, l *look) {
	ways := []*pgconn.FallbackConfig{{Host: c.config.Host, Port: c.config.Port, TLSConfig: c.config.TLSConfig}}
	for _, way := range append(ways, c.config.Fallbacks...) {
		h := host{way.Host, way.Port}
		const do = "add sslmode=verify-full&sslrootcert=/etc/dwcp/ca.pem to the URL"
		switch m := pgtelemetry.SSLModeOf(way.TLSConfig); {
		case h.isSocket():
			l.ok("a socket of this machine")
		case m == "" && h.isHere():
			l.info("", "plaintext, which does not leave this machine")
		case m == "":
			l.wrong(do, "plaintext to %s is allowed: whoever is in between reads and changes decisions", h.name)
		case m == "require" && h.isHere():
			l.info("", "encrypted; the certificate is not verified, which does not matter on this machine")
		case m == "require":
			l.warn(do, "the certificate of %s is not verified: whoever is in between can pass for PostgreSQL", h.name)
		case m == "verify-ca":
			l.info("sslmode=verify-full", "verified against the CA, but not that it is %s", h.name)
		default:
			l.ok("verified to be %s", h.name)
		}
	}
	l.dedupe()
}

// dedupe leaves of equal findings one: hosts and ways of a URL are tried in turn.
func (l *look) dedupe() {
	seen := map[Finding]bool{}
	var kept []Finding
	for _, f := range l.found {
		if !seen[f] {
			kept = append(kept, f)
		}
		seen[f] = true
	}
	l.found = kept
}

// file is one that the URL or the environment names, else one of libpq's own
// places if it is there. Those of a service file pgx alone knows.
func (c *connection) file(word, variable, place string) string {
	for _, path := range []string{setting(c.dsn, word), c.env[variable]} {
		if path != "" {
			return path
		}
	}
	if home, err := os.UserHomeDir(); err == nil && existing(filepath.Join(home, place)) {
		return filepath.Join(home, place)
	}
	return ""
}

func (c *connection) lookAtCA(_ context.Context, l *look) {
	path := c.file("sslrootcert", "PGSSLROOTCERT", ".postgresql/root.crt")
	if path == "" || path == "system" {
		l.skip("no sslrootcert is named")
		return
	}
	c.judgeFile(l, path, "the CA ", "put the new CA beside the old one into "+path)
}

// judgeFile says of each certificate in a file how long it is good for.
func (e *examination) judgeFile(l *look, path, what, do string) {
	text, err := os.ReadFile(path)
	if err != nil {
		l.wrong("name a file that is there", "%s", err)
		return
	}
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if certificate, err := x509.ParseCertificate(block.Bytes); err == nil {
			e.judgeAge(l, what+certificate.Subject.CommonName, certificate, do)
		}
	}
	if len(l.found) == 0 {
		l.wrong("put the certificate there, in PEM form", "%s holds no certificate", path)
	}
}

// certificateFiles are variables of overlays that name certificates, each with
// that of its private key; a CA has none.
var certificateFiles = []struct{ certificate, key string }{
	{"DWCP_GATEWAY_CA", ""}, {"DWCP_GATEWAY_CERT", "DWCP_GATEWAY_KEY"},
	{"DWCP_KAFKA_CA", ""}, {"DWCP_KAFKA_CERT", "DWCP_KAFKA_KEY"},
	{"DWCP_TLS_CERT", "DWCP_TLS_KEY"}, {"DWCP_TLS_CLIENT_CA", ""},
}

// certificates looks at those of the collector's own, which are read again while
// it runs: so it does not notice before a handshake fails.
func (e *examination) certificates(ctx context.Context, s *series) {
	named := false
	for _, f := range certificateFiles {
		path := e.env[f.certificate]
		if path == "" {
			continue
		}
		named = true
		s.look(ctx, "tls.files", path, func(_ context.Context, l *look) { e.lookAtCertificate(l, path, e.env[f.key]) })
	}
	if !named {
		s.look(ctx, "tls.files", "", func(_ context.Context, l *look) { l.ok("no variable of an overlay names one") })
	}
}

func (e *examination) lookAtCertificate(l *look, path, key string) {
	const do = "docs/security.md has how one is made, and put in place of the old one"
	e.judgeFile(l, path, "the certificate ", do)
	if key == "" || l.worst() == Error {
		return
	}
	if _, err := tls.LoadX509KeyPair(path, key); err != nil {
		l.wrong("put certificate and key of one pair there, and let the collector's user read them", "with the key %s: %s", key, err)
	}
}

// judgeAge says how long a certificate is good for.
func (e *examination) judgeAge(l *look, what string, certificate *x509.Certificate, do string) {
	left := certificate.NotAfter.Sub(e.now())
	until := certificate.NotAfter.UTC().Format(time.DateTime)
	switch {
	case e.now().Before(certificate.NotBefore):
		l.wrong(do+", or set this machine's clock", "%s is valid from %s on only", what, certificate.NotBefore.UTC().Format(time.DateTime))
	case left <= 0:
		l.wrong(do, "%s has expired at %s", what, until)
	case left < soon:
		l.warn(do, "%s expires at %s, in %d days", what, until, int(left.Hours()/24))
	default:
		l.ok("%s is valid until %s", what, until)
	}
}

// lookAtClientFiles looks at what proves who we are.
func (c *connection) lookAtClientFiles(_ context.Context, l *look) {
	if c.config.TLSConfig != nil {
		for _, own := range c.config.TLSConfig.Certificates {
			certificate, err := x509.ParseCertificate(own.Certificate[0])
			if err != nil {
				l.wrong("put the certificate of sslcert in order", "%s", err)
				continue
			}
			c.judgeAge(l, "the client's certificate "+certificate.Subject.CommonName, certificate, "renew it; connections that are open stay, new ones read it again")
		}
	}
	if key := c.file("sslkey", "PGSSLKEY", ".postgresql/postgresql.key"); key != "" {
		files := &look{id: l.id, subject: key}
		lookAtPrivateFile(files, key)
		l.found = append(l.found, files.found...)
	}
	if pass := c.file("passfile", "PGPASSFILE", ".pgpass"); pass != "" && existing(pass) {
		files := &look{id: l.id, subject: pass}
		lookAtPrivateFile(files, pass)
		l.found = append(l.found, files.found...)
	}
	if len(l.found) == 0 {
		l.ok("no client certificate and no password file are used")
	}
}

func (c *connection) lookAtServerCertificate(_ context.Context, l *look) {
	encrypted, ok := c.conn.PgConn().Conn().(*tls.Conn)
	if !ok {
		l.skip("the connection is not encrypted")
		return
	}
	state := encrypted.ConnectionState()
	c.judgeAge(l, "the server's certificate "+state.PeerCertificates[0].Subject.CommonName, state.PeerCertificates[0],
		"renew it on the server, then SELECT pg_reload_conf()")
	l.ok("%s", tls.VersionName(state.Version))
}

// lookAtRefusedCertificate tells whether it was the certificate that kept from
// connecting.
func lookAtRefusedCertificate(l *look, err error) {
	var (
		name    x509.HostnameError
		unknown x509.UnknownAuthorityError
		invalid x509.CertificateInvalidError
	)
	if errors.As(err, &name) || errors.As(err, &unknown) || errors.As(err, &invalid) {
		l.wrong(pgtelemetry.Advice(err), "refused here: %s", reason(err))
		return
	}
	l.skip("there is no connection; see database.login")
}
