package keeptrying

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensioncapabilities"
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
	k := &keepTrying{telemetry: telemetry, teller: newTeller(set.Logger), answerLimit: 5 * time.Second}
	k.abandoned, k.abandon = context.WithCancel(context.Background())
	return k, nil
}

type keepTrying struct {
	component.StartFunc
	telemetry *metadata.TelemetryBuilder
	teller    *teller

	answerLimit time.Duration // how long the collector's end waits for answers
	abandoned   context.Context
	abandon     context.CancelFunc
	ending      *time.Timer
}

var (
	_ extensionmiddleware.GRPCClient        = (*keepTrying)(nil)
	_ extensioncapabilities.PipelineWatcher = (*keepTrying)(nil)
)

// GetGRPCClientOptions returns the interceptor.
func (k *keepTrying) GetGRPCClientOptions(context.Context) ([]grpc.DialOption, error) {
	return []grpc.DialOption{grpc.WithChainUnaryInterceptor(k.intercept)}, nil
}

// Ready does nothing.
func (k *keepTrying) Ready() error { return nil }

// NotReady is called before anything of the pipelines is stopped. Exporters would
// wait as long as their timeout for a server that does not answer.
func (k *keepTrying) NotReady() error {
	k.ending = time.AfterFunc(k.answerLimit, k.abandon)
	return nil
}

func (k *keepTrying) Shutdown(context.Context) error {
	if k.ending != nil {
		k.ending.Stop()
	}
	k.abandon()
	k.telemetry.Shutdown()
	return nil
}
