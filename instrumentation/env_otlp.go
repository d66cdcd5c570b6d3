package instrumentation

import (
	"crypto/tls"
	"crypto/x509"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc/metadata"
)

const (
	defaultEndpoint = "http://localhost:4317"
	defaultTimeout  = 10 * time.Second
)

// senderConfig reads all OTEL_EXPORTER_OTLP_* variables.
func (e *environment) senderConfig() senderConfig {
	if name, protocol := e.otlp("PROTOCOL"); protocol != "" && protocol != "grpc" {
		e.problem(name, "must be grpc, the only protocol the Recorder speaks, got %q (OTEL_EXPORTER_OTLP_LOGS_PROTOCOL=grpc is for it alone)", protocol)
	}
	where := e.endpoint()
	c := senderConfig{
		target:  where.target,
		headers: e.headers(),
		timeout: e.timeout(),
		gzip:    e.gzip(),
	}
	if !where.plaintext {
		c.tls = e.tlsConfig()
	}
	return c
}

// endpoint reads where to send. Only an endpoint without a scheme asks
// OTEL_EXPORTER_OTLP_INSECURE.
func (e *environment) endpoint() endpoint {
	insecureName, insecureValue := e.otlp("INSECURE")
	insecure := e.booleanValue(insecureName, insecureValue, false)
	name, value := e.otlp("ENDPOINT")
	if value == "" {
		value = defaultEndpoint
	}
	where, err := parseEndpoint(value)
	switch {
	case err == nil:
	case strings.Contains(value, "@"): // user:password@
		e.problem(name, "%w", err)
	default:
		e.problem(name, "%w, got %q", err, value)
	}
	if !where.hasScheme {
		where.plaintext = insecure
	}
	return where
}

// headers reads key=value pairs, joined by commas and percent-encoded. Values
// are tokens: no error shows one, nor what may be one.
func (e *environment) headers() metadata.MD {
	name, list := e.otlp("HEADERS")
	headers := metadata.MD{}
	for i, pair := range strings.Split(list, ",") {
		if strings.TrimSpace(pair) == "" {
			continue
		}
		key, raw, ok := strings.Cut(pair, "=")
		key = strings.ToLower(strings.TrimSpace(key))
		value, err := url.PathUnescape(strings.TrimSpace(raw))
		switch {
		case !ok:
			e.problem(name, "entry %d: must be key=value (values are not shown)", i+1)
		case !validHeaderKey(key):
			e.problem(name, "entry %d: the key must be of a-z, 0-9, '-', '_' and '.', and not begin with grpc- (not shown)", i+1)
		case err != nil || !validHeaderValue(value):
			e.problem(name, "entry %d: the value must be printable ASCII, percent-encoded (not shown)", i+1)
		default:
			headers.Append(key, value)
		}
	}
	return headers
}

func validHeaderKey(key string) bool {
	return key != "" && !strings.HasPrefix(key, "grpc-") &&
		strings.Trim(key, "abcdefghijklmnopqrstuvwxyz0123456789-_.") == ""
}

func validHeaderValue(value string) bool {
	return !strings.ContainsFunc(value, func(c rune) bool { return c < ' ' || c > '~' })
}

// timeout is that of one attempt: retrying has none but Shutdown's.
func (e *environment) timeout() time.Duration {
	name, value := e.otlp("TIMEOUT")
	if value == "" {
		return defaultTimeout
	}
	millis, err := strconv.ParseInt(value, 10, 32)
	if err != nil || millis < 1 {
		e.problem(name, "must be a whole number of milliseconds, at least 1, got %q", value)
		return defaultTimeout
	}
	return time.Duration(millis) * time.Millisecond
}

func (e *environment) gzip() bool {
	name, value := e.otlp("COMPRESSION")
	switch value {
	case "gzip":
		return true
	case "", "none":
		return false
	}
	e.problem(name, "must be gzip or none, got %q", value)
	return false
}

func (e *environment) tlsConfig() *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if name, file := e.otlp("CERTIFICATE"); file != "" {
		pem, err := os.ReadFile(file)
		if err != nil {
			e.problem(name, "read the certificates of trusted authorities: %w", err)
		} else if c.RootCAs = x509.NewCertPool(); !c.RootCAs.AppendCertsFromPEM(pem) {
			e.problem(name, "must name a file of PEM certificates, got %q", file)
		}
	}
	certName, certFile := e.otlp("CLIENT_CERTIFICATE")
	keyName, keyFile := e.otlp("CLIENT_KEY")
	switch {
	case certFile == "" && keyFile == "":
		return c
	case certFile == "":
		e.problem(certName, "must be set, because %s is", keyName)
	case keyFile == "":
		e.problem(keyName, "must be set, because %s is", certName)
	default:
		pair, err := tls.LoadX509KeyPair(certFile, keyFile)
		if err != nil {
			e.problem(certName, "load it with %s: %w", keyName, err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c
}
