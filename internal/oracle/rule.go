package oracle

import (
	"errors"
	"fmt"
	"strings"

	"github.com/novacron/dwcp-telemetry/decision"
)

// ErrUnlabelable is the error for a decision of which neither arm is known.
var ErrUnlabelable = errors.New("neither algorithm was measured and neither has a prior")

// Rule is one way to label. Its version names formula and parameters; a rule
// whose result changes gets another version.
type Rule struct {
	version string
	weigh   func(*decision.Decision) (hde, amst arm)
}

var (
	// Plan is plan/1, the default.
	Plan = Rule{"plan/1", weighPlan}
	// Completion is completion/1.
	Completion = Rule{"completion/1", weighCompletion}

	rules = []Rule{Plan, Completion}
)

// Version is what is stored as oracle_version.
func (r Rule) Version() string { return r.version }

// Named returns the rule of that version.
func Named(version string) (Rule, error) {
	for _, r := range rules {
		if r.version == version {
			return r, nil
		}
	}
	return Rule{}, fmt.Errorf("must be one of %s, got %q", strings.Join(Versions(), ", "), version)
}

// Versions lists the rules there are, the default first.
func Versions() []string {
	var versions []string
	for _, r := range rules {
		versions = append(versions, r.version)
	}
	return versions
}

// arm is what a rule made of one algorithm's costs.
type arm struct {
	utility  float64
	cost     float64 // the denominator of the utility, before anything is added to it
	known    bool    // utility and cost are there, from measurements or priors
	measured bool    // from measurements alone
}

// Label writes algorithm, utilities, version, flags, score and candidate into
// d, together; flags set by the emitter stay. It needs a decision that
// decision.CheckEmitted finds nothing wrong with. On ErrUnlabelable d is as it
// was.
func (r Rule) Label(d *decision.Decision) error {
	hde, amst := r.weigh(d)
	if !hde.known && !amst.known {
		return ErrUnlabelable
	}
	winner, loser, algorithm := amst, hde, decision.AMST
	if !amst.known || hde.known && hde.utility > amst.utility {
		winner, loser, algorithm = hde, amst, decision.HDE
	}
	d.OracleAlgorithm = decision.Some(algorithm)
	d.OracleUtilityScore = decision.Some(winner.utility)
	d.OracleOtherUtility = decision.Opt[float64]{}
	if loser.known {
		d.OracleOtherUtility = decision.Some(loser.utility)
	}
	d.OracleVersion = decision.Some(r.version)
	d.QualityFlags = d.QualityFlags&emitterFlags | armFlags(hde, amst) | valueFlags(d)
	d.QualityScore = decision.Some(d.QualityFlags.Score())
	d.TrainingCandidate = decision.Some(!d.QualityFlags.Hard())
	return nil
}
