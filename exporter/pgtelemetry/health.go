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
	trouble [activities]string // the last one told of each activity, "" while all is well
}

// activity is what the exporter does with the database.
type activity uint8

const (
	writing activity = iota
	upkeeping
	maintaining

	activities // how many there are
)

var inTrouble = [...]string{
	writing:     "decisions cannot be written; none is lost: they are tried again, here or by their sender",
	upkeeping:   "the table cannot be looked after; decisions are written as long as there is a partition for them",
	maintaining: "what is older than the retention cannot be taken out; it is tried again in the next round",
}

var wellAgain = [...]string{
	writing:     "PostgreSQL takes decisions again",
	upkeeping:   "the table can be looked after again",
	maintaining: "what is older than the retention is taken out again",
}

// report takes the outcome of an attempt. Trouble is always recoverable: after
// a permanent error a component can only be stopped.
func (h *health) report(what activity, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	trouble := ""
	if err != nil {
		// The text of one trouble varies with the batch; its kind does not.
		trouble = sqlstate(err) + advice(err)
	}
	if trouble == h.trouble[what] {
		return
	}
	h.trouble[what] = trouble
	if err != nil {
		h.log.Error(inTrouble[what], zap.Error(err), zap.String("sqlstate", sqlstate(err)), zap.String("advice", advice(err)))
		componentstatus.ReportStatus(h.host, componentstatus.NewRecoverableErrorEvent(err))
		return
	}
	h.log.Info(wellAgain[what])
	if h.trouble == [activities]string{} {
		componentstatus.ReportStatus(h.host, componentstatus.NewEvent(componentstatus.StatusOK))
	}
}
