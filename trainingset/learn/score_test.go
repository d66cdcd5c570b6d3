package learn

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
)

func TestScoreCountsBothLabels(t *testing.T) {
	t.Parallel()
	// Of 6 HDE 4 are found, of 4 AMST 3.
	labels := []bool{true, true, true, true, true, true, false, false, false, false}
	answers := []bool{true, true, true, true, false, false, false, false, false, true}
	s := score("x", "", answers, labels)
	require.InDelta(t, 0.7, s.Accuracy, 1e-12)
	require.Equal(t, 10, s.Rows)
	require.Equal(t, Class{Precision: 4.0 / 5, Recall: 4.0 / 6, F1: 8.0 / 11, Rows: 6, Said: 5}, s.Classes["HDE"])
	require.Equal(t, Class{Precision: 3.0 / 5, Recall: 3.0 / 4, F1: 6.0 / 9, Rows: 4, Said: 5}, s.Classes["AMST"])
}

func TestALabelThatIsNeverSaidHasNoPrecision(t *testing.T) {
	t.Parallel()
	s := score("x", "", []bool{true, true}, []bool{true, false})
	require.Equal(t, Class{Rows: 1}, s.Classes["AMST"])
}

func TestIntervalIsWilsons(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		right, all int
		low, high  float64
	}{{90, 100, 0.8256, 0.9448}, {0, 10, 0, 0.2775}, {10, 10, 0.7225, 1}, {0, 0, 0, 1}} {
		low, high := wilson(c.right, c.all)
		require.InDelta(t, c.low, low, 1e-4, "%d of %d", c.right, c.all)
		require.InDelta(t, c.high, high, 1e-4, "%d of %d", c.right, c.all)
	}
}

func TestRulesAreWhatWorksOutByHand(t *testing.T) {
	t.Parallel()
	// wan: HDE in 3 of 4; dc: AMST always. Rows 8 and 9 have priors that are right
	// where the link's majority is wrong.
	s := made(10, func(i int, d *decision.Decision) {
		d.HDECompressionRatio.Value = 4
		if i%2 == 0 {
			d.LinkType = decision.DC
			d.HDECompressionRatio.Value = 1
		}
		if i == 1 {
			d.HDECompressionRatio.Value = 1
		}
	})
	fill := func(d *decision.Decision, ratio float64) {
		d.HDEPriorCompressionRatio, d.HDEPriorLatencyMillis, d.HDEPriorCPUUsage = decision.Some(ratio), d.HDELatencyMillis, d.HDECPUUsage
		d.AMSTPriorTransferRateMbps, d.AMSTPriorLatencyMillis, d.AMSTPriorCPUUsage = d.AMSTTransferRateMbps, d.AMSTLatencyMillis, d.AMSTCPUUsage
	}
	fill(&s.rows[8].Decision, 4) // says HDE, is AMST
	fill(&s.rows[9].Decision, 4) // says HDE, is HDE
	rules := s.byRules(&division{train: upTo(8), test: []int{6, 7, 8, 9}})
	require.Equal(t, []string{RuleMajority, RulePerLink, RulePriors}, []string{rules[0].Name, rules[1].Name, rules[2].Name})
	require.Equal(t, "always AMST", rules[0].Meaning)
	require.InDelta(t, 0.5, rules[0].Accuracy, 1e-12)
	require.InDelta(t, 1, rules[1].Accuracy, 1e-12)
	require.InDelta(t, 0.5, rules[2].Accuracy, 1e-12, "6 and 9 are right, 7 and 8 are not")
}

func TestRareWordsGetNoColumnOfTheirOwn(t *testing.T) {
	t.Parallel()
	s := made(100, func(i int, d *decision.Decision) {
		d.Region = strings.Repeat("r", 1+i%(maxWords+5))
		if i%7 == 0 {
			d.Region = "most"
		}
	})
	e := s.encode()[decision.Column("region")]
	require.Len(t, e.columns, maxWords)
	require.InDelta(t, 1, e.columns[0][0], 0, "the most frequent first")
	sum := 0.0
	for _, column := range e.columns {
		for _, x := range column {
			sum += x
		}
	}
	require.Greater(t, sum, 80.0)
	require.Less(t, sum, 100.0)
}
