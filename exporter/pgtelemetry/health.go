package pgtelemetry

import (
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.uber.org/zap"
)

// health tells log and status extensions when the database becomes unusable,
// when the reason changes, and when it is usable again: not every attempt,
// which exporterhelper logs.
//
// The status is about decisions, for readiness goes by it: trouble in looking
// after the table belongs to it only where no batch shows that they are written
// all the same, and what maintenance cannot take out never does. Log and metrics
// tell all of it.
type health struct {
	log  *zap.Logger
	host component.Host

	mu       sync.Mutex
	troubles [activities]trouble
	tried    time.Time // the last attempt to write
	written  time.Time // the last one that succeeded
	status   trouble   // what the status says
}

// trouble is what is told of an activity; its zero value is none.
type trouble struct {
	kind  string // the text of one trouble varies with the batch, this does not
	err   error
	since time.Time
}

// activity is what the exporter does with the database.
type activity uint8

const (
	writing activity = iota
	upkeeping
	maintaining
	counting

	activities // how many there are
)

var inTrouble = [...]string{
	writing:     "decisions cannot be written; none is lost: they are tried again, here or by their sender",
	upkeeping:   "the table cannot be looked after; decisions are written as long as there is a partition for them",
	maintaining: "what is older than the retention cannot be taken out; it is tried again in the next round",
	counting:    "how many of the numbered decisions came cannot be told",
}

var wellAgain = [...]string{
	writing:     "PostgreSQL takes decisions again",
	upkeeping:   "the table can be looked after again",
	maintaining: "what is older than the retention is taken out again",
	counting:    "how many of the numbered decisions came can be told again",
}

// report takes the outcome of an attempt. Trouble is always recoverable: after
// a permanent error a component can only be stopped.
func (h *health) report(what activity, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if what == writing {
		h.tried = time.Now()
		if err == nil {
			h.written = h.tried
		}
	}
	h.tell(what, err)
}

// probed takes the outcome of a probe of writing, which is no attempt.
func (h *health) probed(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.tell(writing, err)
}

// waits reports that writing is in trouble and was last tried so long ago.
func (h *health) waits(since time.Duration) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.troubles[writing].err != nil && time.Since(h.tried) >= since
}

func (h *health) tell(what activity, err error) {
	before := h.troubles[what]
	now := trouble{err: err, since: before.since}
	if err != nil {
		now.kind = sqlstate(err) + advice(err)
	}
	if before.err == nil || now.kind != before.kind {
		now.since = time.Now()
	}
	h.troubles[what] = now
	switch changed := now.kind != before.kind || (err == nil) != (before.err == nil); {
	case changed && err != nil:
		h.log.Error(inTrouble[what], zap.Error(err), zap.String("sqlstate", sqlstate(err)), zap.String("advice", advice(err)))
	case changed:
		h.log.Info(wellAgain[what])
	}
	h.reportStatus()
}

// reportStatus passes on what has changed of the status.
func (h *health) reportStatus() {
	now := h.troubles[writing]
	if up := h.troubles[upkeeping]; now.err == nil && h.written.Before(up.since) {
		now = up
	}
	before := h.status
	h.status = now
	switch {
	case now.err != nil && (before.err == nil || now.kind != before.kind):
		componentstatus.ReportStatus(h.host, componentstatus.NewRecoverableErrorEvent(now.err))
	case now.err == nil && before.err != nil:
		componentstatus.ReportStatus(h.host, componentstatus.NewEvent(componentstatus.StatusOK))
	}
}
