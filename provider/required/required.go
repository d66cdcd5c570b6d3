// Package required is a configuration provider for environment variables that
// must not be left out:
//
//	client_ca_file: ${required:DWCP_TLS_CLIENT_CA}
//
// becomes what the variable says. Where it is not set, or empty, the collector
// does not start and names it. With ${env:…} the setting would be empty instead,
// and an empty client_ca_file lets everyone in.
package required

import (
	"context"
	"fmt"
	"os"
	"strings"

	"go.opentelemetry.io/collector/confmap"
)

const scheme = "required"

// NewFactory returns the factory that ocb builds into the collector.
func NewFactory() confmap.ProviderFactory {
	return confmap.NewProviderFactory(func(confmap.ProviderSettings) confmap.Provider { return provider{} })
}

type provider struct{}

func (provider) Scheme() string { return scheme }

func (provider) Shutdown(context.Context) error { return nil }

// Retrieve takes required:VARIABLE. The value is text, whatever it looks like.
func (provider) Retrieve(_ context.Context, uri string, _ confmap.WatcherFunc) (*confmap.Retrieved, error) {
	variable := strings.TrimPrefix(uri, scheme+":")
	value := os.Getenv(variable)
	if strings.TrimSpace(value) == "" {
		return nil, fmt.Errorf("%s: must be set in the environment, for the configuration names it as required", variable)
	}
	return confmap.NewRetrieved(value)
}
