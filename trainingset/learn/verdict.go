package learn

import "fmt"

// Verdict is the answer: on the mean over the divisions by group where there
// are groups, else on the next best split.
type Verdict struct {
	Split string `json:"split"` // that it is given on; "" where nothing could be learned
	// Whether the goal is reached with the plan's features, outcomes included.
	PlanReachesGoal bool `json:"plan_reaches_goal"`
	// Whether it is reached with what is known before the choice: only then is it
	// more than the oracle's formula worked out again.
	KnownReachesGoal bool     `json:"known_reaches_goal"`
	Text             []string `json:"text"`
}

// formulaMargin is by how much a model must be better with the context than with
// the outcomes alone to have learned something of it.
const formulaMargin = 0.02

// verdictOrder are the splits by how much their score is worth.
var verdictOrder = []string{SplitGroup, SplitTime, SplitRandom}

func (r *Result) judge() Verdict {
	for _, name := range verdictOrder {
		if s := r.split(name); s.Skipped == "" {
			return r.judgeOn(s)
		}
	}
	v := Verdict{Text: []string{"Nothing can be said: there is no split that can be learned on."}}
	for _, s := range r.Splits {
		v.say("Split by %s: %s.", s.Name, s.Skipped)
	}
	return v
}

func (r *Result) judgeOn(s *Split) Verdict {
	plan, outcomes, known := s.Model(FeaturesPlan), s.Model(FeaturesOutcomes), s.Model(FeaturesKnown)
	planReached, knownReached := r.accuracy(&plan.Score), r.accuracy(&known.Score)
	v := Verdict{Split: s.Name, PlanReachesGoal: planReached.Mean >= r.Goal, KnownReachesGoal: knownReached.Mean >= r.Goal}
	reached := map[bool]string{true: "is reached", false: "is not reached"}
	v.say("%s %s with the plan's %d features: %s.", goalText(r.Goal), reached[v.PlanReachesGoal], len(plan.Columns), planReached.text(s))
	learned := "What that model learned is the oracle's formula, not a forecast"
	if outcomes.Accuracy < plan.Accuracy-formulaMargin {
		learned = "That model learned more than the oracle's formula, but it sees what is known only afterwards"
	}
	v.say("%s: %s gives back %d of %d labels from the outcomes, and a model that sees nothing but the %d outcomes has %s where the one with all %d has %s.",
		learned, r.Formula.Version, r.Formula.Agreed, r.Formula.Checked, len(outcomes.Columns), percent(outcomes.Accuracy),
		len(plan.Columns), percent(plan.Accuracy))
	v.say("%s %s with what is known before the choice: %s; %s is right in %s, one rule per link type in %s.",
		goalText(r.Goal), reached[v.KnownReachesGoal], knownReached.text(s), s.Rule(RuleMajority).Meaning,
		percent(r.accuracy(s.Rule(RuleMajority)).Mean), percent(r.accuracy(s.Rule(RulePerLink)).Mean))
	if v.KnownReachesGoal {
		v.say("So a model in use can reach it: more was learned than the formula.")
	} else {
		v.say("So a model in use, which sees no outcomes before it chooses, can be expected to be right in %s, not in %s.",
			percent(knownReached.Mean), goalText(r.Goal))
	}
	return v
}

// accuracy is the mean over the divisions by group where they were made.
func (r *Result) accuracy(s *Score) Spread {
	for _, spread := range r.Spreads {
		if spread.Name == s.Name {
			return spread
		}
	}
	return Spread{s.Name, 1, s.Low, s.Accuracy, s.High}
}

func (s Spread) text(split *Split) string {
	if s.Divisions > 1 {
		return fmt.Sprintf("%s in the mean of %d splits by %s (%.1f to %.1f)", percent(s.Mean), s.Divisions, split.Name, 100*s.Lowest, 100*s.Highest)
	}
	return fmt.Sprintf("%s (95 %% interval %.1f to %.1f) on the split by %s", percent(s.Mean), 100*s.Lowest, 100*s.Highest, split.Name)
}

func (r *Result) split(name string) *Split {
	for i := range r.Splits {
		if r.Splits[i].Name == name {
			return &r.Splits[i]
		}
	}
	return &Split{Name: name, Skipped: "it was not made"}
}

func (v *Verdict) say(format string, args ...any) {
	v.Text = append(v.Text, fmt.Sprintf(format, args...))
}

// Model returns the model on that choice of columns.
func (s *Split) Model(features string) *Model {
	for i := range s.Models {
		if s.Models[i].Name == features {
			return &s.Models[i]
		}
	}
	return &Model{}
}

// Rule returns the score of that rule.
func (s *Split) Rule(name string) *Score {
	for i := range s.Rules {
		if s.Rules[i].Name == name {
			return &s.Rules[i]
		}
	}
	return &Score{}
}

func percent(share float64) string { return fmt.Sprintf("%.1f %%", 100*share) }

func goalText(share float64) string { return fmt.Sprintf("%.4g %%", 100*share) }
