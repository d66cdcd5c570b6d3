package faults

import (
	"strings"
)

// requireTrouble waits until collectors tell of trouble as operators look for
// it: an error in the log, the status of the health check, and the metric of
// failures under one of the SQLSTATEs.
func (r *rig) requireTrouble(sqlstates ...string) {
	r.Helper()
	for _, m := range r.collectors {
		r.eventually("the log tells of trouble", func() bool {
			return strings.Contains(m.log(), "decisions cannot be written; none is lost")
		})
		r.eventually("the health check tells of trouble", func() bool {
			return strings.Contains(m.health(), `"status":"StatusRecoverableError"`)
		})
		r.eventually("the metric counts failures under "+strings.Join(sqlstates, " or "), func() bool {
			for _, state := range sqlstates {
				if m.metric("otelcol_pgtelemetry_failures", `sqlstate="`+state+`"`) > 0 {
					return true
				}
			}
			return false
		})
	}
}

// requireLogged waits until a collector has logged a text: the advice, say.
func (r *rig) requireLogged(text string) {
	r.Helper()
	for _, m := range r.collectors {
		r.eventually("the log says: "+text, func() bool { return strings.Contains(m.log(), text) })
	}
}

// requireWell holds that collectors have said that the trouble is over.
func requireWell(r *rig) {
	r.requireLogged("PostgreSQL takes decisions again")
	for _, m := range r.collectors {
		r.eventually("the health check is well again", func() bool {
			return strings.Contains(m.health(), `"status":"StatusOK"`)
		})
	}
}
