package learn

import "fmt"

// Verdict is the answer, on the split by group where there is one.
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
		for i := range r.Splits {
			if s := &r.Splits[i]; s.Name == name && s.Skipped == "" {
				return r.judgeOn(s)
			}
		}
	}
	v := Verdict{Text: []string{"Nothing can be said: there is no split that can be learned on."}}
	for _, s := range r.Splits {
		v.Text = append(v.Text, fmt.Sprintf("Split by %s: %s.", s.Name, s.Skipped))
	}
	return v
}

func (r *Result) judgeOn(s *Split) Verdict {
	plan, outcomes, known := s.Model(FeaturesPlan), s.Model(FeaturesOutcomes), s.Model(FeaturesKnown)
	v := Verdict{Split: s.Name, PlanReachesGoal: plan.Accuracy >= r.Goal, KnownReachesGoal: known.Accuracy >= r.Goal}
	reached := map[bool]string{true: "is reached", false: "is not reached"}
	v.say("%s %s with the plan's %d features: %s on the split by %s.",
		goalText(r.Goal), reached[v.PlanReachesGoal], len(plan.Columns), accuracyText(&plan.Score), s.Name)
	learned := "What that model learned is the oracle's formula, not a forecast"
	if outcomes.Accuracy < plan.Accuracy-formulaMargin {
		learned = "That model learned more than the oracle's formula, but it sees what is known only afterwards"
	}
	v.say("%s: %s gives back %d of %d labels from the outcomes, and a model that sees nothing but the %d outcomes has %s.",
		learned, r.Formula.Version, r.Formula.Agreed, r.Formula.Checked, len(outcomes.Columns), percent(outcomes.Accuracy))
	v.say("%s %s with what is known before the choice: %s; %s is right in %s, one rule per link type in %s.",
		goalText(r.Goal), reached[v.KnownReachesGoal], accuracyText(&known.Score),
		s.Rule(RuleMajority).Meaning, percent(s.Rule(RuleMajority).Accuracy), percent(s.Rule(RulePerLink).Accuracy))
	if v.KnownReachesGoal {
		v.say("So a model in use can reach it: more was learned than the formula.")
	} else {
		v.say("So a model in use, which sees no outcomes before it chooses, can be expected to be right in %s, not in %s.",
			percent(known.Accuracy), goalText(r.Goal))
	}
	return v
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

func accuracyText(s *Score) string {
	return fmt.Sprintf("%s (95 %% interval %.1f to %.1f)", percent(s.Accuracy), 100*s.Low, 100*s.High)
}
