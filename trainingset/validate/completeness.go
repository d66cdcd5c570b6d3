package validate

import (
	"fmt"

	"github.com/novacron/dwcp-telemetry/decision"
)

// completeness compares each Recorder's numbers with how many there are.
type completeness struct {
	recorders map[decision.UUID]*numbers
	whole     bool // false: there were more Recorders than are kept
}

type numbers struct{ first, last, count int64 }

// maxRecorders bounds the memory; each start of a process is one.
const maxRecorders = 1 << 17

func newCompleteness() *completeness {
	return &completeness{recorders: map[decision.UUID]*numbers{}, whole: true}
}

func (t *completeness) add(r *row) {
	if !r.has("recorder_id") || !r.has("recorder_sequence") {
		return
	}
	id, sequence := r.d.RecorderID.Value, r.d.RecorderSequence.Value
	n := t.recorders[id]
	if n == nil {
		if len(t.recorders) >= maxRecorders {
			t.whole = false
			return
		}
		n = &numbers{first: sequence, last: sequence}
		t.recorders[id] = n
	}
	n.first, n.last = min(n.first, sequence), max(n.last, sequence)
	n.count++
}

func (t *completeness) judge(v *validator) {
	c := v.check("completeness")
	switch {
	case len(t.recorders) == 0:
		c.skip("there are no Recorder's numbers; export --with-identity has them")
		return
	case v.chosen():
		c.skip("the export chose among the rows, so that a gap need not be a loss")
		return
	}
	var have, want int64
	for _, n := range t.recorders {
		have += n.count
		want += n.last - n.first + 1
	}
	complete := min(1, share(have, want))
	v.stats.Completeness = &complete
	c.OK = percent(complete) + " of the numbered decisions are there"
	if !t.whole {
		c.OK += fmt.Sprintf(" (of the first %d Recorders)", maxRecorders)
	}
	if complete < v.config.MinCompleteness {
		c.detail(1, "%d of %d numbered decisions are there (%s, at least %s), of %s", have, want,
			percent(complete), percent(v.config.MinCompleteness), plural(len(t.recorders), "Recorder"))
	}
}

// chosen reports that not every row of the window was exported.
func (v *validator) chosen() bool {
	if v.manifest == nil {
		return false
	}
	q := &v.manifest.Query
	return q.CandidatesOnly || q.MinQuality > 0 || q.Sample > 0 || len(v.manifest.Split.LeftOut) > 0 ||
		len(q.LinkTypes)+len(q.Regions)+len(q.Environments)+len(q.OracleVersions) > 0
}
