package keeptrying

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensionmiddleware"
	"google.golang.org/grpc"

	"github.com/novacron/dwcp-telemetry/extension/keeptrying/internal/metadata"
)

// Config is empty: there is nothing to set.
type Config struct{}

// NewFactory returns the factory that ocb builds into the collector.
func NewFactory() extension.Factory {
	return extension.NewFactory(metadata.Type,
		func() component.Config { return &Config{} }, create, metadata.ExtensionStability)
}

func create(_ context.Context, set extension.Settings, _ component.Config) (extension.Extension, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	return &keepTrying{telemetry: telemetry, teller: newTeller(set.Logger)}, nil
}

type keepTrying struct {
	component.StartFunc
	telemetry *metadata.TelemetryBuilder
	teller    *teller
}

var _ extensionmiddleware.GRPCClient = (*keepTrying)(nil)

// GetGRPCClientOptions returns the interceptor.
func (k *keepTrying) GetGRPCClientOptions(context.Context) ([]grpc.DialOption, error) {
	return []grpc.DialOption{grpc.WithChainUnaryInterceptor(k.intercept)}, nil
}

func (k *keepTrying) Shutdown(context.Context) error {
	k.telemetry.Shutdown()
	return nil
}
