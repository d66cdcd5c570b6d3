package oraclelabel

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/internal/decisionlog"
)

// isolate gives decisions a resource of their own that says nothing but what
// the event lists and what a backend needs to name the sender. Other logs keep
// theirs untouched, also where both came under one resource.
func isolate(logs plog.Logs) {
	// Resources appended by split hold decisions only and are clean.
	for i, n := 0, logs.ResourceLogs().Len(); i < n; i++ {
		from := logs.ResourceLogs().At(i)
		decisions, others := count(from)
		switch {
		case decisions == 0:
			continue
		case others == 0:
			clean(from)
		default:
			to := logs.ResourceLogs().AppendEmpty()
			split(logs.ResourceLogs().At(i), to)
			clean(to)
		}
	}
}

// dropOthers removes logs that are no decisions.
func dropOthers(logs plog.Logs) (dropped int64) {
	logs.ResourceLogs().RemoveIf(func(resource plog.ResourceLogs) bool {
		decisions, others := count(resource)
		dropped += int64(others)
		return decisions == 0 // isolate has left none among others
	})
	return dropped
}

func count(resource plog.ResourceLogs) (decisions, others int) {
	for _, scope := range resource.ScopeLogs().All() {
		for _, record := range scope.LogRecords().All() {
			if decisionlog.IsDecision(record) {
				decisions++
			} else {
				others++
			}
		}
	}
	return decisions, others
}

// split moves the decisions of one resource to another.
func split(from, to plog.ResourceLogs) {
	from.Resource().CopyTo(to.Resource())
	for _, scope := range from.ScopeLogs().All() {
		target := to.ScopeLogs().AppendEmpty()
		scope.LogRecords().RemoveIf(func(record plog.LogRecord) bool {
			if !decisionlog.IsDecision(record) {
				return false
			}
			record.MoveTo(target.LogRecords().AppendEmpty())
			return true
		})
	}
	to.ScopeLogs().RemoveIf(func(scope plog.ScopeLogs) bool { return scope.LogRecords().Len() == 0 })
}

// senderKeys are resource attributes that name the sending program, by the
// semantic conventions; they are no part of the event but hold no VM id either.
var senderKeys = map[string]bool{
	"service.name": true, "service.namespace": true,
	"telemetry.sdk.name": true, "telemetry.sdk.language": true, "telemetry.sdk.version": true,
}

func clean(resource plog.ResourceLogs) {
	resource.Resource().Attributes().RemoveIf(func(key string, _ pcommon.Value) bool {
		i, listed := decision.Index(key)
		return !senderKeys[key] && (!listed || decision.Fields()[i].Place != decision.ResourceAttr)
	})
	resource.SetSchemaUrl("")
	for _, scope := range resource.ScopeLogs().All() {
		pcommon.NewInstrumentationScope().CopyTo(scope.Scope())
		scope.SetSchemaUrl("")
	}
}
