package ledger

import "time"

// Milestones are the data collection plan's: candidates in the table.
var Milestones = []int64{10_000, 50_000, 100_000}

// Goal is what a status is measured by. The collector's retention is not known
// here.
type Goal struct {
	Retention time.Duration
	Within    time.Duration // in which the next milestone shall be reached
}

// Progress says when there will be enough to train on, at the pace of the last
// day.
type Progress struct {
	RowsPerDay       float64 `json:"rows_per_day"`
	CandidatesPerDay float64 `json:"candidates_per_day"`
	// CandidateShare is the share of the decisions that are candidates: hardly
	// more than the share that a shadow run is made for.
	CandidateShare float64     `json:"candidate_share"`
	WithinDays     float64     `json:"within_days"`
	Milestones     []Milestone `json:"milestones"`
	Phases         []Phase     `json:"phases"`
}

// Milestone is a number of candidates.
type Milestone struct {
	Candidates int64 `json:"candidates"`
	Reached    bool  `json:"reached"`
	// ETA is zero where it is reached, or never will be at this pace: Never says
	// why.
	ETA   time.Time `json:"eta,omitzero"`
	Never string    `json:"never,omitempty"`
	// ShareNeeded is the share of decisions that must become candidates for it to
	// be reached within the goal's time; above 1 there are too few decisions. Nil
	// where it is reached, or where no decisions come.
	ShareNeeded *float64 `json:"share_needed,omitempty"`
}

// leastPace is the least time that a pace is taken from: the first batch alone
// would promise anything.
const leastPace = 10 * time.Minute

// progress extrapolates from the last day, or from the time since the first
// batch.
func (s *Status) progress(g Goal, since *time.Time) Progress {
	span := 24 * time.Hour
	if since != nil {
		span = max(s.Now.Sub(*since), leastPace)
	}
	perDay := float64(24*time.Hour) / float64(span)
	p := Progress{
		RowsPerDay:       float64(s.LastDay.Written) * perDay,
		CandidatesPerDay: float64(s.LastDay.Candidates) * perDay,
		WithinDays:       days(g.Within),
		Phases:           s.phases(),
	}
	if s.LastDay.Written > 0 {
		p.CandidateShare = float64(s.LastDay.Candidates) / float64(s.LastDay.Written)
	}
	for _, n := range Milestones {
		p.Milestones = append(p.Milestones, p.milestone(n, s.Totals.Candidates, s.Now, g))
	}
	return p
}

func (p *Progress) milestone(n, have int64, now time.Time, g Goal) Milestone {
	m := Milestone{Candidates: n, Reached: have >= n}
	if m.Reached {
		return m
	}
	missing := float64(n - have)
	if p.RowsPerDay > 0 && g.Within > 0 {
		needed := missing / (p.RowsPerDay * days(g.Within))
		m.ShareNeeded = &needed
	}
	switch {
	case p.CandidatesPerDay <= 0:
		m.Never = "no candidates came within the last day"
	case g.Retention > 0 && p.CandidatesPerDay*days(g.Retention) < float64(n):
		// What goes and what comes is even before that.
		m.Never = "the retention takes out as many before that"
	default:
		m.ETA = now.Add(time.Duration(missing / p.CandidatesPerDay * float64(24*time.Hour))).Truncate(time.Second)
	}
	return m
}

func days(d time.Duration) float64 { return d.Hours() / 24 }
