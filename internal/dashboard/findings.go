package dashboard

import (
	"fmt"
	"time"

	"github.com/novacron/dwcp-telemetry/decision"
)

// What the project's alerts go by, too.
const (
	silence       = 15 * time.Minute
	rejectedShare = 0.01 // of what came within the last hour
	queueFill     = 0.7
	bandLow       = 0.3 // of one label, per link type
	bandHigh      = 0.7
	// bandRows is the least number of rows of a link type that its balance is
	// judged by.
	bandRows = 100
)

// findings are what someone should look at: those of the status, and what only
// someone who looks all the time can know.
func findings(s *Snapshot) []string {
	found := []string{}
	report := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	if l := s.Ledger; l != nil && l.Totals.Batches > 0 {
		if idle := l.Now.Sub(l.Totals.LastCommit); idle > silence {
			report("nothing has been written for %s: do the senders run, and does the collector?", span(idle))
		}
		if r := l.LastHour; float64(r.Rejected) > rejectedShare*float64(r.Written+r.Rejected+r.Duplicate) {
			report("%s of the last hour's decisions were rejected, more than %s: `dwcp-telemetry rejected list` says why",
				percent(float64(r.Rejected)/float64(r.Written+r.Rejected+r.Duplicate)), percent(rejectedShare))
		}
		for _, link := range decision.Column("link_type").Rule.Enum {
			labels := l.Totals.Labels[link]
			if share := labels.HDEShare(); labels.Total() >= bandRows && outside(share) {
				report("%s of the decisions on %s are labelled HDE, outside of %.0f to %.0f %%", percent(share), link, 100*bandLow, 100*bandHigh)
			}
		}
		found = append(found, l.Warnings...)
	}
	for _, c := range s.Collectors {
		for _, q := range c.Queues {
			if q.Fill() > queueFill {
				report("the queue of %s at %s is %s full", q.Exporter, c.URL, percent(q.Fill()))
			}
		}
	}
	return found
}

func outside(share float64) bool { return share < bandLow || share > bandHigh }
