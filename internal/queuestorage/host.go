package queuestorage

import (
	"maps"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"
)

// host is a host with one storage wrapped.
type host struct {
	component.Host
	storage component.ID
	log     *zap.Logger
}

// Host returns the host with that storage wrapped, for an exporter that hands it
// to its helper.
func Host(of component.Host, storage component.ID, log *zap.Logger) component.Host {
	return &host{Host: of, storage: storage, log: log}
}

// GetExtensions wraps the queue's storage.
func (h *host) GetExtensions() map[component.ID]component.Component {
	all := h.Host.GetExtensions()
	if s, ok := all[h.storage].(storage.Extension); ok {
		all = maps.Clone(all)
		all[h.storage] = Wrap(s, h.log)
	}
	return all
}

// Report passes a status on: embedding would hide that the host takes them.
func (h *host) Report(event *componentstatus.Event) { componentstatus.ReportStatus(h.Host, event) }
