package pgtelemetry

import "github.com/novacron/dwcp-telemetry/decision"

// sender is the Recorder of a decision, and which of its decisions it is, from
// 1; zero where it does not say.
type sender struct {
	recorder decision.UUID
	sequence int64
}

func senderOf(d *decision.Decision) sender {
	return sender{d.RecorderID.Value, d.RecorderSequence.Value}
}

// recorders counts what is new of each Recorder, written or rejected: so the
// ledger shows how many of the numbers up to the last one came.
type recorders map[decision.UUID]*recorded

type recorded struct {
	Count int64 `json:"count"`
	Last  int64 `json:"last"` // the highest number
}

func (r recorders) add(s sender) { r.addMany(s, 1) }

// addMany counts n decisions of one Recorder, the last of which is s.
func (r recorders) addMany(s sender, n int64) {
	if s.recorder == (decision.UUID{}) || s.sequence == 0 {
		return
	}
	of := r[s.recorder]
	if of == nil {
		of = &recorded{}
		r[s.recorder] = of
	}
	of.Count += n
	of.Last = max(of.Last, s.sequence)
}

// byName is r with the ids in their usual form.
func (r recorders) byName() map[string]*recorded {
	named := make(map[string]*recorded, len(r))
	for id, of := range r {
		named[id.String()] = of
	}
	return named
}
