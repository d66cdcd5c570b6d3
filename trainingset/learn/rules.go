package learn

import (
	"github.com/novacron/dwcp-telemetry/decision"
)

// The rules that learn nothing, or hardly anything.
const (
	RuleMajority = "majority"
	RulePerLink  = "per link type"
	RulePriors   = "formula on priors"
)

// byRules scores the rules on a split.
func (s *set) byRules(d *division) []Score {
	labels := s.labelsOf(d.test)
	all := s.majority(d.train, func(int) string { return "" })
	perLink := s.majority(d.train, func(row int) string { return string(s.rows[row].LinkType) })
	always := all[""]
	answer := func(say func(row int) bool) []bool {
		answers := make([]bool, len(d.test))
		for i, row := range d.test {
			answers[i] = say(row)
		}
		return answers
	}
	links := func(row int) bool {
		if said, ok := perLink[string(s.rows[row].LinkType)]; ok {
			return said
		}
		return always
	}
	priors := func(row int) bool {
		if said, ok := s.formulaOnPriors(row); ok {
			return said
		}
		return always
	}
	return []Score{
		score(RuleMajority, "always "+algorithm(always), answer(func(int) bool { return always }), labels),
		score(RulePerLink, "the more frequent label of each link type", answer(links), labels),
		score(RulePriors, s.rule.Version()+" fed with the priors, where both arms have them; else the majority",
			answer(priors), labels),
	}
}

// majority says by key which label is the more frequent; of a tie, AMST.
func (s *set) majority(rows []int, key func(row int) string) map[string]bool {
	balance := map[string]int{}
	for _, row := range rows {
		if s.rows[row].hde {
			balance[key(row)]++
		} else {
			balance[key(row)]--
		}
	}
	said := map[string]bool{}
	for k, more := range balance {
		said[k] = more > 0
	}
	return said
}

const armless = decision.HDEMissing | decision.AMSTMissing

// formulaOnPriors labels a row as if nothing had been measured yet.
func (s *set) formulaOnPriors(row int) (isHDE, ok bool) {
	var d decision.Decision
	for _, f := range knownFields {
		if value, ok := f.Value(&s.rows[row].Decision); ok && f.Decode(value, &d) != nil {
			return false, false
		}
	}
	if err := s.rule.Label(&d); err != nil || !d.OracleOtherUtility.Set {
		return false, false
	}
	return d.OracleAlgorithm.Value == decision.HDE, true
}

// Formula says whether the labels are what the rule makes of the outcomes.
type Formula struct {
	Version string `json:"version"`
	Checked int    `json:"checked"` // rows with both arms measured
	Agreed  int    `json:"agreed"`
}

func (s *set) formula() (f Formula) {
	f.Version = s.rule.Version()
	for i := range s.rows {
		d := s.rows[i].Decision
		if err := s.rule.Label(&d); err != nil || d.QualityFlags&armless != 0 {
			continue
		}
		f.Checked++
		if (d.OracleAlgorithm.Value == decision.HDE) == s.rows[i].hde {
			f.Agreed++
		}
	}
	return f
}

func (s *set) labelsOf(rows []int) []bool {
	labels := make([]bool, len(rows))
	for i, row := range rows {
		labels[i] = s.rows[row].hde
	}
	return labels
}

func algorithm(isHDE bool) string {
	if isHDE {
		return hde
	}
	return amst
}
