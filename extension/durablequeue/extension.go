package durablequeue

import (
	"context"
	"fmt"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensioncapabilities"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"

	"github.com/novacron/dwcp-telemetry/extension/durablequeue/internal/metadata"
	"github.com/novacron/dwcp-telemetry/internal/queuestorage"
)

// NewFactory returns the factory that ocb builds into the collector.
func NewFactory() extension.Factory {
	return extension.NewFactory(metadata.Type,
		func() component.Config { return &Config{} },
		func(_ context.Context, set extension.Settings, cfg component.Config) (extension.Extension, error) {
			return &durableQueue{storage: cfg.(*Config).Storage, log: set.Logger}, nil
		},
		metadata.ExtensionStability)
}

type durableQueue struct {
	component.ShutdownFunc
	storage component.ID
	log     *zap.Logger
	host    component.Host
}

var (
	_ storage.Extension               = (*durableQueue)(nil)
	_ extensioncapabilities.Dependent = (*durableQueue)(nil)
)

// Dependencies has the storage started first; where there is none, the collector
// does not start and says so.
func (d *durableQueue) Dependencies() []component.ID { return []component.ID{d.storage} }

func (d *durableQueue) Start(_ context.Context, host component.Host) error {
	d.host = host
	return nil
}

// GetClient returns the storage's client with what keeps a queue from losing
// anything around it.
func (d *durableQueue) GetClient(ctx context.Context, kind component.Kind, id component.ID, name string) (storage.Client, error) {
	inner, ok := d.host.GetExtensions()[d.storage].(storage.Extension)
	if !ok {
		return nil, fmt.Errorf("storage: %s is no storage extension", d.storage)
	}
	return queuestorage.Wrap(queuestorage.Sealed(inner), d.log).GetClient(ctx, kind, id, name)
}
