package validate

import (
	"fmt"
	"maps"
	"slices"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/trainingset"
)

// counts are exact over all rows: balance, coverage and what is a candidate.
type counts struct {
	known, candidates int64
	links, regions    trainingset.Balance
	coverage          map[string]trainingset.Balance // link type → payload type → labels
	quality           float64
	scored            int64
}

// maxNames bounds the memory for regions and payload types; further ones count
// together.
const (
	maxNames = 256
	others   = "(others)"
)

func newCounts() *counts {
	return &counts{links: trainingset.Balance{}, regions: trainingset.Balance{}, coverage: map[string]trainingset.Balance{}}
}

func (t *counts) add(r *row) {
	if r.has("quality_score") {
		t.quality += r.d.QualityScore.Value
		t.scored++
	}
	if r.candidate() {
		t.candidates++
	}
	if !r.has(linkTypeColumn) || !r.has(labelColumn) {
		return
	}
	t.known++
	link, label := string(r.d.LinkType), string(r.d.OracleAlgorithm.Value)
	t.links.Add(link, label, 1)
	if r.has("region") {
		t.regions.Add(bounded(t.regions, r.named(r.d.Region)), label, 1)
	}
	if r.has("payload_type") {
		if t.coverage[link] == nil {
			t.coverage[link] = trainingset.Balance{}
		}
		t.coverage[link].Add(bounded(t.coverage[link], r.named(r.d.PayloadType)), label, 1)
	}
}

func bounded(of trainingset.Balance, name string) string {
	if _, known := of[name]; known || len(of) < maxNames {
		return name
	}
	return others
}

// candidate says whether the row may be trained on: its own word where it is
// there, and else what it looks like.
func (r *row) candidate() bool {
	switch {
	case !r.sound:
		return false
	case r.has("is_training_candidate") && !r.d.TrainingCandidate.Value:
		return false
	case r.has("quality_score") && !(r.d.QualityScore.Value > r.v.config.MinQuality):
		return false
	}
	return true
}

func (t *counts) judge(v *validator) {
	v.stats.Balance, v.stats.Regions, v.stats.Coverage, v.stats.Candidates = t.links, t.regions, t.coverage, t.candidates
	t.judgeBalance(v)
	t.judgeCoverage(v)
	quality := v.check("quality")
	if t.scored == 0 {
		quality.skip("there is no quality_score")
		return
	}
	mean := t.quality / float64(t.scored)
	v.stats.MeanQuality = mean
	quality.OK = fmt.Sprintf("the mean quality score is %.3f", mean)
	if mean < v.config.MinQualityMean {
		quality.detail(1, "the mean is %.3f, at least %s is asked for", mean, decimal(v.config.MinQualityMean))
	}
}

// judgeBalance looks at each link type and region too: over all rows the labels
// can be balanced while every one of them is one-sided.
func (t *counts) judgeBalance(v *validator) {
	c := v.check("balance")
	least := v.config.MinClassShare
	c.OK = fmt.Sprintf("both labels have at least %.0f %% of the rows, overall, per link type and per region", 100*least)
	enough := max(1, v.config.MinBalanceRows)
	if t.links.Overall().Total() < enough { // then no group of them has enough
		c.skip(fmt.Sprintf("fewer than %d rows", enough))
		return
	}
	check := func(group string, l trainingset.Labels) {
		rarer := share(min(l.HDE, l.AMST), l.Total())
		if l.Total() >= enough && rarer < least {
			c.detail(1, "%s: HDE %s, AMST %s of %d rows", group, percent(l.HDEShare()), percent(1-l.HDEShare()), l.Total())
		}
	}
	check("all", t.links.Overall())
	for _, link := range linkTypes() {
		check(link, t.links[link])
	}
	for _, region := range slices.Sorted(maps.Keys(t.regions)) {
		check("region "+region, t.regions[region])
	}
}

// linkTypes are all there are, in the order of the field list, with rows or not.
func linkTypes() []string { return decision.Column(linkTypeColumn).Rule.Enum }

func (t *counts) judgeCoverage(v *validator) {
	c := v.check("coverage")
	all := t.links.Overall().Total()
	for _, link := range linkTypes() {
		if n := t.links[link].Total(); share(n, all) < v.config.MinLinkShare {
			c.detail(1, "%s: %d of %d rows (%s, at least %s are needed)", link, n, all, percent(share(n, all)), percent(v.config.MinLinkShare))
		}
	}
	for _, payload := range v.stats.PayloadTypes() {
		for _, link := range linkTypes() {
			if n := t.coverage[link][payload].Total(); n < v.config.MinCellRows && t.links[link].Total() > 0 {
				c.detail(1, "%s on %s: %d rows, at least %d are needed", payload, link, n, v.config.MinCellRows)
			}
		}
	}
}

// judgeMissing looks at every column of the event.
func (v *validator) judgeMissing() {
	c := v.check("missing")
	c.OK = fmt.Sprintf("at most %s of the values are missing in every column", percent(v.config.MaxMissingShare))
	for _, col := range v.columns {
		if part := share(col.missing, v.records); col.expectsValues(v) && part > v.config.MaxMissingShare {
			c.detail(1, "%s: %d of %d missing (%s)", col.name, col.missing, v.records, percent(part))
		}
	}
}

// expectsValues leaves out what is empty by nature: a row without flags has
// none, and of identity, provenance and the way used much may be unknown.
func (c *column) expectsValues(v *validator) bool {
	if c.field == nil || c.missing == 0 {
		return false
	}
	switch c.field.Role {
	case decision.RoleContext, decision.RoleOutcome:
		return true
	case decision.RolePrior:
		return v.set != trainingset.All // there only those of one arm, at first of none
	}
	return false
}

func (v *validator) judgeCandidates() {
	c := v.check("candidates")
	have, want := v.stats.Candidates, v.options.Milestone
	c.OK = fmt.Sprintf("%d training candidates, %d are asked for", have, want)
	switch {
	case want == 0:
		c.skip("no --milestone was asked for")
	case have < want:
		c.detail(want-have, "%d of %d training candidates", have, want)
	}
}

// flagShares are shares of rows with a quality flag. Without the column they are
// what the oracle would set.
type flagShares struct {
	rows, ties, nearZero int64
}

func (t *flagShares) add(r *row) {
	if !r.sound {
		return
	}
	flags := r.d.QualityFlags
	if _, there := r.v.byName["quality_flags"]; !there {
		flags = r.v.labels.flags
	}
	t.rows++
	if flags.Has(decision.Tie) {
		t.ties++
	}
	if flags.Has(decision.NearZeroCost) {
		t.nearZero++
	}
}

func (t *flagShares) judge(v *validator) {
	_, flags := v.byName["quality_flags"]
	if !flags && !v.labels.outcomes {
		why := "the columns hold neither flags nor outcomes"
		v.check("ties").skip(why)
		v.check("near_zero_costs").skip(why)
		return
	}
	v.stats.TieShare, v.stats.NearZeroShare = share(t.ties, t.rows), share(t.nearZero, t.rows)
	judge := func(name string, n int64, limit float64, what string) {
		c := v.check(name)
		c.OK = fmt.Sprintf("%s of the rows %s", percent(share(n, t.rows)), what)
		c.exceeds(share(n, t.rows), limit, "%d of %d rows %s (%s, at most %s)", n, t.rows, what, percent(share(n, t.rows)), percent(limit))
	}
	judge("ties", t.ties, v.config.MaxTieShare, "have utilities within 5 % of each other")
	judge("near_zero_costs", t.nearZero, v.config.MaxNearZeroShare, "have a cost near zero")
}
