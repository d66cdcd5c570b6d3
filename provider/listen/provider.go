// Package listen is a configuration provider that splits a listen address into
// host and port:
//
//	prometheus: ${listen:DWCP_METRICS:-127.0.0.1:8888}
//
// becomes {host: 127.0.0.1, port: 8888}, or what the environment variable
// DWCP_METRICS says instead. The collector's own Prometheus reader takes host
// and port apart, while all its other listeners take an address.
package listen

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/confmap"
)

const scheme = "listen"

// NewFactory returns the factory that ocb builds into the collector.
func NewFactory() confmap.ProviderFactory {
	return confmap.NewProviderFactory(func(confmap.ProviderSettings) confmap.Provider { return provider{} })
}

type provider struct{}

func (provider) Scheme() string { return scheme }

func (provider) Shutdown(context.Context) error { return nil }

// Retrieve takes listen:VARIABLE:-DEFAULT.
func (provider) Retrieve(_ context.Context, uri string, _ confmap.WatcherFunc) (*confmap.Retrieved, error) {
	variable, fallback, _ := strings.Cut(strings.TrimPrefix(uri, scheme+":"), ":-")
	address := os.Getenv(variable)
	if address == "" {
		address = fallback
	}
	host, portText, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("%s: must be host:port, got %q", variable, address)
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("%s: the port must be 0..65535, got %q", variable, portText)
	}
	return confmap.NewRetrieved(map[string]any{"host": host, "port": int(port)})
}
