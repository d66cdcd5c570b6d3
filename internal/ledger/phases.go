package ledger

// PhaseState is how a phase of the plan stands.
type PhaseState string

// A phase after the other.
const (
	PhaseDone    PhaseState = "done"
	PhaseCurrent PhaseState = "current"
	PhaseAhead   PhaseState = "ahead"
)

// Phase is one of the data collection plan's, each a week there.
type Phase struct {
	Week  int        `json:"week"`
	Name  string     `json:"name"`
	Goal  string     `json:"goal"`
	State PhaseState `json:"state"`
}

// phases go by what is in the table. Whether the training set was exported and
// the model trained is not known here: at 100,000 candidates export is at hand.
func (s *Status) phases() []Phase {
	have := s.Totals.Candidates
	all := []struct {
		Phase
		done bool
	}{
		{Phase{Name: "Setup", Goal: "the first decision is in the table"}, s.Totals.Written > 0},
		{Phase{Name: "Staging", Goal: "10,000 candidates, schema validated"}, have >= Milestones[0]},
		{Phase{Name: "Production, shadow mode", Goal: "50,000 candidates, half of the traffic"}, have >= Milestones[1]},
		{Phase{Name: "Production, full collection", Goal: "100,000 candidates, all of the traffic"}, have >= Milestones[2]},
		{Phase{Name: "Export", Goal: "validated, training-ready CSV"}, false},
		{Phase{Name: "Training", Goal: "a model of 98 % accuracy"}, false},
	}
	var told []Phase
	current := false
	for i, p := range all {
		p.Week = i + 1
		switch {
		case p.done && !current:
			p.State = PhaseDone
		case !current:
			p.State, current = PhaseCurrent, true
		default:
			p.State = PhaseAhead
		}
		told = append(told, p.Phase)
	}
	return told
}
