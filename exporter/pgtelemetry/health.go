package pgtelemetry

import (
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.uber.org/zap"
)

// health tells log and status extensions when the database becomes unusable,
// when the reason changes, and when it is usable again: not every attempt,
// which exporterhelper logs.
type health struct {
	log  *zap.Logger
	host component.Host

	mu      sync.Mutex
	trouble string // the last one told, "" while all is well
}

// report takes the outcome of an attempt. Trouble is always recoverable: after
// a permanent error a component can only be stopped.
func (h *health) report(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	trouble := ""
	if err != nil {
		// The text of one trouble varies with the batch; its kind does not.
		trouble = sqlstate(err) + advice(err)
	}
	if trouble == h.trouble {
		return
	}
	h.trouble = trouble
	if err == nil {
		h.log.Info("PostgreSQL takes decisions again")
		componentstatus.ReportStatus(h.host, componentstatus.NewEvent(componentstatus.StatusOK))
		return
	}
	h.log.Error("decisions cannot be written; none is lost: they are tried again, here or by their sender",
		zap.Error(err), zap.String("sqlstate", sqlstate(err)), zap.String("advice", advice(err)))
	componentstatus.ReportStatus(h.host, componentstatus.NewRecoverableErrorEvent(err))
}
