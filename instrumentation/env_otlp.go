package instrumentation

import (
	"net/url"
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
		c.tls = e.tlsFiles()
	}
	c.token = e.tokenFile(where.plaintext, c.headers)
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

// tlsFiles reads which files TLS needs, and whether they will do.
func (e *environment) tlsFiles() *tlsFiles {
	var f tlsFiles
	f.authorities.name, f.authorities.file = e.otlp("CERTIFICATE")
	f.certificate.name, f.certificate.file = e.otlp("CLIENT_CERTIFICATE")
	f.key.name, f.key.file = e.otlp("CLIENT_KEY")
	for _, part := range []tlsFiles{{authorities: f.authorities}, {certificate: f.certificate, key: f.key}} {
		switch {
		case part.certificate.file == "" && part.key.file != "":
			e.problem(f.certificate.name, "must be set, because %s is", f.key.name)
		case part.certificate.file != "" && part.key.file == "":
			e.problem(f.key.name, "must be set, because %s is", f.certificate.name)
		default:
			if _, err := part.read(); err != nil {
				e.problems = append(e.problems, err)
			}
		}
	}
	return &f
}
