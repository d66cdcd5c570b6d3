package learn

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
)

// fair has both labels by turns.
func fair(n int) *set {
	return made(n, func(i int, d *decision.Decision) { d.HDECompressionRatio.Value = float64(1 + i%2*3) })
}

func (d *division) all() []int {
	return slices.Sorted(slices.Values(slices.Concat(d.train, d.held, d.test)))
}

func upTo(n int) (numbers []int) {
	for i := range n {
		numbers = append(numbers, i)
	}
	return numbers
}

func TestEachSplitHoldsEveryRowOnceInThePlansShares(t *testing.T) {
	t.Parallel()
	s := fair(1000)
	for _, d := range s.divide(&Options{}) {
		require.Empty(t, d.skipped, d.name)
		require.Equal(t, upTo(1000), d.all(), d.name)
		require.InDelta(t, 700, len(d.train), 51, d.name)
		require.InDelta(t, 150, len(d.held), 51, d.name)
		require.InDelta(t, 150, len(d.test), 51, d.name)
	}
}

func TestNoGroupIsInTwoParts(t *testing.T) {
	t.Parallel()
	s := fair(1000)
	for seed := range uint64(20) {
		d := s.byGroup(seed)
		place := map[int32]string{}
		for name, rows := range map[string][]int{"train": d.train, "validation": d.held, "test": d.test} {
			require.NotEmpty(t, rows)
			for _, i := range rows {
				before, ok := place[s.rows[i].group]
				require.True(t, !ok || before == name)
				place[s.rows[i].group] = name
			}
		}
		require.Len(t, place, 10)
	}
	require.NotEqual(t, s.byGroup(1).test, s.byGroup(2).test)
	again := s.byGroup(1)
	require.Equal(t, s.byGroup(1), again)
}

func TestTheSplitByTimeKeepsItsGap(t *testing.T) {
	t.Parallel()
	s := fair(1000)
	d := s.byTime(30 * time.Minute)
	require.Equal(t, upTo(670), d.train, "rows are a minute apart")
	require.Equal(t, 700, d.held[0])
	require.Equal(t, 819, d.held[len(d.held)-1])
	require.Equal(t, 850, d.test[0])
	require.Contains(t, d.meaning, "30m between two")
}

func TestAGapThatLeavesNothingIsTold(t *testing.T) {
	t.Parallel()
	d := fair(30).byTime(time.Hour)
	require.Equal(t, "a gap of 1h leaves nothing to train on: all rows lie within 29m0s", d.skipped)
}

func TestTheExportsOwnSplitIsTaken(t *testing.T) {
	t.Parallel()
	s := fair(100)
	s.manifest.Split.By = "group"
	for i := range s.rows {
		s.rows[i].part = []string{"test", "train", "train", "validation"}[i/25]
	}
	divided := s.divide(&Options{})
	require.Equal(t, upTo(25), divided[1].test)
	require.Len(t, divided[1].train, 50)
	require.Equal(t, "as the export divides it", divided[1].meaning)
	require.NotEqual(t, divided[0].meaning, divided[1].meaning)
}

func TestSplitsThatCannotBeLearnedOnSayWhy(t *testing.T) {
	t.Parallel()
	r := learned(t, made(200, func(int, *decision.Decision) {}))
	require.Empty(t, r.Verdict.Split)
	for _, s := range r.Splits {
		require.Contains(t, s.Skipped, "0 rows of HDE")
		require.Empty(t, s.Models)
	}
	require.Equal(t, "Nothing can be said: there is no split that can be learned on.", r.Verdict.Text[0])

	oneGroup := fair(200)
	for i := range oneGroup.rows {
		oneGroup.rows[i].group = 0
	}
	r = learned(t, oneGroup)
	require.Equal(t, "there are 1 groups, three parts need as many", r.group().Skipped)
	require.Equal(t, SplitTime, r.Verdict.Split, "the next best")
}
