package learn

import (
	"errors"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files anew")

// told is a result as it may come out, made by hand.
func told() *Result {
	answers := func(right, all int) (answers, labels []bool) {
		for i := range all {
			labels = append(labels, i%4 > 0)
			answers = append(answers, labels[i] == (i < right))
		}
		return answers, labels
	}
	scored := func(name, meaning string, right int) Score {
		a, l := answers(right, 1000)
		return score(name, meaning, a, l)
	}
	split := func(name string) Split {
		return Split{Name: name, Meaning: "by " + name, Train: Size{5000, 40}, Validation: Size{1100, 10}, Test: Size{1000, 9},
			Rules: []Score{scored(RuleMajority, "always HDE", 750), scored(RulePerLink, "by link", 760), scored(RulePriors, "by priors", 800)},
			Models: []Model{
				{Score: scored(FeaturesPlan, "all", 985), Columns: make([]string, 19), Trees: 90, Importance: []Importance{{"hde_latency_ms", 0.123, 0.4}}},
				{Score: scored(FeaturesOutcomes, "outcomes", 980), Columns: make([]string, 7)},
				{Score: scored(FeaturesContext, "context", 880), Columns: make([]string, 12)},
				{Score: scored(FeaturesKnown, "known", 900), Columns: make([]string, 20), Trees: 40, Importance: []Importance{{"payload_size", 0.05, 0.3}}},
			}}
	}
	r := &Result{Dir: "data", Rows: 7100, HDE: 5325, Goal: 0.98, Formula: Formula{"plan/1", 7100, 7100}, Notes: []string{"something is so"},
		Splits: []Split{split(SplitRandom), split(SplitGroup), {Name: SplitTime, Skipped: "a gap of 1h leaves nothing to train on"}}}
	r.Spreads = []Spread{{RuleMajority, 5, 0.74, 0.755, 0.76}, {RulePerLink, 5, 0.75, 0.765, 0.77},
		{FeaturesPlan, 5, 0.972, 0.9811, 0.99}, {FeaturesKnown, 5, 0.88, 0.895, 0.91}}
	r.Verdict = r.judge()
	return r
}

func TestTextBeginsWithTheVerdict(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	require.NoError(t, told().WriteText(&text))
	const path = "testdata/told.txt"
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(text.String()), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), text.String())
}

func TestMoreThanTheFormulaIsSaidToBeSo(t *testing.T) {
	t.Parallel()
	r := told()
	r.Spreads = nil // as where there are no groups
	group := r.group()
	group.Model(FeaturesOutcomes).Accuracy = 0.95
	group.Model(FeaturesKnown).Accuracy = 0.981
	v := r.judge()
	require.True(t, v.KnownReachesGoal)
	require.Contains(t, v.Text[1], "That model learned more than the oracle's formula")
	require.Contains(t, v.Text[2], "98 % is reached with what is known before the choice")
}

// full takes so many bytes.
type full int

func (f *full) Write(p []byte) (int, error) {
	if *f -= full(len(p)); *f < 0 {
		return 0, errors.New("the disk is full")
	}
	return len(p), nil
}

func TestTextThatCannotBeWrittenIsTold(t *testing.T) {
	t.Parallel()
	for room := range full(4) {
		room *= 500
		require.ErrorContains(t, told().WriteText(&room), "the disk is full")
	}
}
