package learn

import (
	"context"

	"github.com/novacron/dwcp-telemetry/decision"
)

// Spread is how accurate something is over several divisions by group: with few
// groups, which of them are in test decides more than the rows do.
type Spread struct {
	Name      string  `json:"name"` // of the rule or the model
	Divisions int     `json:"divisions"`
	Lowest    float64 `json:"lowest"`
	Mean      float64 `json:"mean"`
	Highest   float64 `json:"highest"`
}

// furtherDivisions are made beside the one that is shown.
const furtherDivisions = 4

// furtherModels are fitted on each of them.
const furtherModels = 2

// spread makes further divisions; done is called after each model.
func (s *set) spread(ctx context.Context, shown *Split, columns map[*decision.Field]*encoded, o *Options, done func()) ([]Spread, error) {
	spreads := []Spread{shown.Rule(RuleMajority).spread(), shown.Rule(RulePerLink).spread(), shown.Rule(RulePriors).spread(),
		shown.Model(FeaturesPlan).spread(), shown.Model(FeaturesKnown).spread()}
	for i := range uint64(furtherDivisions) {
		d := s.byGroup(o.Seed + 1 + i)
		d.check(s)
		if d.skipped != "" {
			continue
		}
		scores := s.byRules(d)
		for _, c := range choices() {
			if c.name != FeaturesPlan && c.name != FeaturesKnown {
				continue
			}
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			c.importance = false
			scores = append(scores, s.fit(d, &c, columns, o).Score)
			done()
		}
		for j := range spreads {
			spreads[j].add(scores[j].Accuracy)
		}
	}
	return spreads, nil
}

func (s *Score) spread() Spread { return Spread{s.Name, 1, s.Accuracy, s.Accuracy, s.Accuracy} }

func (s *Spread) add(accuracy float64) {
	s.Mean = (s.Mean*float64(s.Divisions) + accuracy) / float64(s.Divisions+1)
	s.Divisions++
	s.Lowest, s.Highest = min(s.Lowest, accuracy), max(s.Highest, accuracy)
}
