package main

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"time"
)

const (
	resourceVariable = "OTEL_RESOURCE_ATTRIBUTES"
	// exampleResource keeps these decisions apart from those of production.
	exampleResource = "deployment.environment.name=example,service.version=dwcpmanager"
	defaultEndpoint = "http://localhost:4317"
	dialLimit       = 3 * time.Second
)

// setDefaults says where the decisions come from, unless the user does.
func setDefaults() error {
	if os.Getenv(resourceVariable) != "" {
		return nil
	}
	if err := os.Setenv(resourceVariable, exampleResource); err != nil {
		return fmt.Errorf("set %s: %w", resourceVariable, err)
	}
	return nil
}

// findCollector fails where nobody listens. DWCP must not do this: it starts
// without telemetry too, and its Recorder waits for a collector. Here there is
// nothing else to do.
func findCollector(ctx context.Context) error {
	endpoint := cmp.Or(os.Getenv("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT"), os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT"), defaultEndpoint)
	address, ok := dialable(endpoint)
	if !ok {
		return nil // gRPC knows what to make of it
	}
	conn, err := (&net.Dialer{Timeout: dialLimit}).DialContext(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("no collector at %s (OTEL_EXPORTER_OTLP_ENDPOINT): %w\n"+
			"start one, for example with: go run ./cmd/dwcp-telemetry demo --keep", address, err)
	}
	return conn.Close()
}

// dialable returns host:port of an endpoint that has them.
func dialable(endpoint string) (string, bool) {
	host := endpoint
	if strings.Contains(endpoint, "://") {
		u, err := url.Parse(endpoint)
		if err != nil || u.Host == "" || u.Scheme == "dns" {
			return "", false
		}
		host = u.Host
	} else if strings.HasPrefix(endpoint, "unix:") {
		return "", false
	}
	if _, _, err := net.SplitHostPort(host); err != nil {
		host = net.JoinHostPort(strings.Trim(host, "[]"), "4317")
	}
	return host, true
}
