package instrumentation

import (
	"errors"
	"net"
	"net/url"
	"strconv"
	"strings"
)

const defaultPort = "4317"

// endpoint is where OTLP/gRPC goes.
type endpoint struct {
	target    string // as grpc.NewClient wants it
	hasScheme bool   // which says by itself whether there is TLS
	plaintext bool
}

var errEndpoint = errors.New("must be http://host:port, https://host:port, host:port, dns:///host:port or unix:path, without user, path or query")

func parseEndpoint(value string) (endpoint, error) {
	if strings.HasPrefix(value, "unix:") || strings.HasPrefix(value, "dns:///") {
		return endpoint{target: value}, nil // gRPC's own forms
	}
	if !strings.Contains(value, "://") {
		target, err := dnsTarget(value)
		return endpoint{target: target}, err
	}
	u, err := url.Parse(value)
	if err != nil || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return endpoint{}, errEndpoint
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return endpoint{}, errEndpoint
	}
	target, err := dnsTarget(u.Host)
	return endpoint{target: target, hasScheme: true, plaintext: u.Scheme == "http"}, err
}

// dnsTarget makes host[:port] into a gRPC target. The scheme is written out so
// that no name of a host is taken for one.
func dnsTarget(hostPort string) (string, error) {
	host, port, err := net.SplitHostPort(hostPort)
	if err != nil {
		// No port, or nothing gRPC could dial either.
		host, port = strings.TrimSuffix(strings.TrimPrefix(hostPort, "["), "]"), defaultPort
	}
	if number, err := strconv.ParseUint(port, 10, 16); err != nil || number == 0 {
		return "", errEndpoint
	}
	if host == "" || strings.ContainsAny(host, "/?#@[] \t") {
		return "", errEndpoint
	}
	return "dns:///" + net.JoinHostPort(host, port), nil
}
