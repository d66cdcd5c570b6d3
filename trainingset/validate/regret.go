package validate

import (
	"fmt"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/internal/oracle"
)

// regrets compares the way really used with the other one, decision by decision.
type regrets struct {
	of map[string]*Regret // by link type
}

// Regret is what using the way that was used left on the table.
type Regret struct {
	Decisions int64 `json:"decisions"` // of which both ways are known, and which one was used
	Agreed    int64 `json:"agreed"`    // the way used is the label
	Faster    int64 `json:"faster"`    // the way used was the faster one, by the times of completion/1

	// Sums, by the times of completion/1: how much longer the way used took than
	// the faster one, and than the labelled one, which may be less than 0.
	MillisToFaster float64 `json:"millis_to_faster"`
	MillisToLabel  float64 `json:"millis_to_label"`
	Millis         float64 `json:"millis"` // of the ways used

	// The sum over all decisions of the share of the label's utility that the way
	// used did not have, 0..1 each.
	UtilityShare float64 `json:"utility_share"`
}

func newRegret() *regrets { return &regrets{of: map[string]*Regret{}} }

func (t *regrets) add(r *row) {
	if !r.sound || !r.has("actual_algorithm") || !r.has(labelColumn) || !r.v.labels.outcomes {
		return
	}
	times, utilities := r.d, r.d
	rule := r.v.labels.rule
	if oracle.Completion.Label(&times) != nil || rule.Label(&utilities) != nil ||
		!times.OracleOtherUtility.Set || !utilities.OracleOtherUtility.Set {
		return
	}
	used := r.d.ActualAlgorithm.Value
	link := string(r.d.LinkType)
	g := t.of[link]
	if g == nil {
		g = &Regret{}
		t.of[link] = g
	}
	g.Decisions++
	if used == r.d.OracleAlgorithm.Value {
		g.Agreed++
	}
	spent, fastest := millis(&times, used), millis(&times, times.OracleAlgorithm.Value)
	if used == times.OracleAlgorithm.Value {
		g.Faster++
	}
	g.Millis += spent
	g.MillisToFaster += spent - fastest
	g.MillisToLabel += spent - millis(&times, r.d.OracleAlgorithm.Value)
	if best, had := utilities.OracleUtilityScore.Value, utility(&utilities, used); best > 0 {
		g.UtilityShare += max(0, 1-had/best)
	}
}

// utility is an algorithm's utility in a decision whose both ways are labelled.
func utility(d *decision.Decision, a decision.Algorithm) float64 {
	if d.OracleAlgorithm.Value == a {
		return d.OracleUtilityScore.Value
	}
	return d.OracleOtherUtility.Value
}

// millis is what an algorithm takes: the utility of completion/1 is 1000 / ms.
func millis(d *decision.Decision, a decision.Algorithm) float64 {
	if u := utility(d, a); u > 0 {
		return 1000 / u
	}
	return 0
}

func (t *regrets) judge(v *validator) {
	if len(t.of) == 0 {
		return
	}
	v.stats.Regret = map[string]Regret{}
	for link, g := range t.of {
		v.stats.Regret[link] = *g
	}
}

// TotalRegret is the sum over the link types.
func (s *Statistics) TotalRegret() (all Regret) {
	for _, g := range s.Regret {
		all.Decisions += g.Decisions
		all.Agreed += g.Agreed
		all.Faster += g.Faster
		all.Millis += g.Millis
		all.MillisToFaster += g.MillisToFaster
		all.MillisToLabel += g.MillisToLabel
		all.UtilityShare += g.UtilityShare
	}
	return all
}

func (r Regret) String() string {
	if r.Decisions == 0 {
		return "nothing is known of the ways used"
	}
	n := float64(r.Decisions)
	return fmt.Sprintf("the way used is the label in %s of %d decisions, and took %.1f ms longer than the faster one in the mean",
		percent(share(r.Agreed, r.Decisions)), r.Decisions, r.MillisToFaster/n)
}
