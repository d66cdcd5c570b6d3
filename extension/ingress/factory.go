package ingress

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"

	"github.com/novacron/dwcp-telemetry/extension/ingress/internal/metadata"
)

// NewFactory returns the factory that ocb builds into the collector.
func NewFactory() extension.Factory {
	return extension.NewFactory(metadata.Type,
		func() component.Config { return newDefaultConfig() },
		func(_ context.Context, set extension.Settings, config component.Config) (extension.Extension, error) {
			return newIngress(set, config.(*Config))
		},
		metadata.ExtensionStability)
}
