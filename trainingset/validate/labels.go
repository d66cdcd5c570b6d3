package validate

import (
	"fmt"
	"math"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/internal/oracle"
	"github.com/novacron/dwcp-telemetry/trainingset"
)

// labels makes labels, utilities, flags, scores and weights again.
type labels struct {
	v        *validator
	rule     oracle.Rule
	checked  int64
	oneArmed int64
	ready    bool
	outcomes bool           // all that a label is made of is there
	priors   bool           // and what stands in for it
	flags    decision.Flags // of the last row, made again
}

func newLabels(v *validator) *labels {
	l := &labels{v: v, rule: v.options.Rule}
	if l.rule.Version() == "" {
		l.rule = oracle.Plan
		if v.manifest != nil && len(v.manifest.OracleVersions) == 1 {
			for version := range v.manifest.OracleVersions {
				if named, err := oracle.Named(version); err == nil {
					l.rule = named
				}
			}
		}
	}
	return l
}

// look finds out once which columns there are.
func (l *labels) look() {
	l.ready, l.outcomes, l.priors = true, true, true
	fields := decision.Fields()
	for i := range fields {
		switch f := &fields[i]; f.Role {
		case decision.RoleOutcome:
			l.outcomes = l.outcomes && l.v.has(f.Column)
		case decision.RolePrior:
			l.priors = l.priors && l.v.has(f.Column)
		}
	}
}

const missingArm = decision.HDEMissing | decision.AMSTMissing

func (l *labels) add(r *row) {
	if !l.ready {
		l.look()
	}
	l.flags = 0
	if !l.outcomes || !r.sound || !r.has(labelColumn) || l.v.check("header").Count > 0 {
		return // else the label would be made of zeros
	}
	again := r.d
	rule, ok := l.ruleOf(r)
	if !ok {
		return
	}
	err := rule.Label(&again)
	l.flags = again.QualityFlags
	if err != nil || again.QualityFlags&missingArm != 0 {
		l.oneArmed++
		l.v.check("arms").sampleOnly(r.sample("", "", "not all measurements of both algorithms are there"))
		if err != nil || !l.priors {
			return
		}
	}
	l.checked++
	if was, is := r.d.OracleAlgorithm.Value, again.OracleAlgorithm.Value; was != is {
		l.v.check("label").found(r.sample(labelColumn, string(was), "must be "+string(is)))
		return
	}
	l.checkScores(r, &again)
}

// ruleOf is the rule that a row names, where nobody asked for another.
func (l *labels) ruleOf(r *row) (oracle.Rule, bool) {
	if l.v.options.Rule.Version() != "" || !r.d.OracleVersion.Set || r.d.OracleVersion.Value == l.rule.Version() {
		return l.rule, true
	}
	rule, err := oracle.Named(r.d.OracleVersion.Value)
	if err != nil {
		l.v.check("label").found(r.sample("oracle_version", cut(r.d.OracleVersion.Value), "names no rule of this program"))
	}
	return rule, err == nil
}

// closeEnough allows for a reader that rounds the last bit, as pandas does.
const closeEnough = 1e-9

func near(a, b float64) bool { return math.Abs(a-b) <= closeEnough*max(1, math.Abs(a), math.Abs(b)) }

func (l *labels) checkScores(r *row, again *decision.Decision) {
	scores := l.v.check("scores")
	for _, f := range remade {
		c, ok := l.v.byName[f.Column]
		if !ok {
			continue
		}
		was, thereBefore := f.Value(&r.d)
		is, thereNow := f.Value(again)
		same := thereBefore == thereNow && was == is
		if f.Kind == decision.KindFloat && thereBefore && thereNow {
			same = near(r.num[c.index], is.Float())
		}
		if !same {
			scores.found(r.sample(f.Column, was.String(), "must be "+orNothing(is.String())))
		}
	}
	for name, want := range map[trainingset.Derived]float64{
		trainingset.SampleWeight: weight(again), trainingset.LabelMargin: margin(again),
	} {
		c, ok := l.v.byName[string(name)]
		if !ok || !r.good[c.index] || math.IsNaN(want) {
			continue
		}
		if !near(r.num[c.index], want) {
			scores.found(r.sample(c.name, decimal(r.num[c.index]), "must be "+decimal(want)))
		}
	}
}

// remade are the fields that the rule writes beside the label.
var remade = func() (fields []*decision.Field) {
	for _, column := range []string{"oracle_utility_score", "oracle_other_utility", "quality_flags", "quality_score", "is_training_candidate"} {
		fields = append(fields, decision.Column(column))
	}
	return fields
}()

func weight(d *decision.Decision) float64 {
	if !d.SamplingRatio.Set {
		return math.NaN()
	}
	return 1 / d.SamplingRatio.Value
}

func margin(d *decision.Decision) float64 {
	if !d.OracleOtherUtility.Set || d.OracleOtherUtility.Value == 0 || d.OracleUtilityScore.Value == 0 {
		return math.NaN()
	}
	return math.Abs(math.Log(d.OracleUtilityScore.Value / d.OracleOtherUtility.Value))
}

func orNothing(text string) string {
	if text == "" {
		return "empty"
	}
	return text
}

func (l *labels) judge(v *validator) {
	label, scores, arms := v.check("label"), v.check("scores"), v.check("arms")
	l.look()
	switch {
	case !l.outcomes:
		why := "the columns hold no outcomes, of which labels are made"
		label.skip(why)
		scores.skip(why)
		arms.skip(why)
		return
	case l.checked == 0:
		label.skip("no row has all that the label is made of")
		scores.skip(label.Skipped)
	default:
		label.OK = fmt.Sprintf("the rule %s gives all %d labels again", l.rule.Version(), l.checked)
	}
	scored := false
	for _, f := range remade {
		scored = scored || v.has(f.Column)
	}
	if !scored && scores.Skipped == "" {
		scores.skip("the columns hold neither utilities nor scores")
	}
	arms.OK = "both algorithms were measured in " + percent(1-share(l.oneArmed, v.records)) + " of the rows"
	arms.exceeds(share(l.oneArmed, v.records), v.config.MaxOneArmedShare, "%d of %d rows lack measurements of one (%s, at most %s)",
		l.oneArmed, v.records, percent(share(l.oneArmed, v.records)), percent(v.config.MaxOneArmedShare))
}
