package measure

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/internal/sample"
)

func TestEachRuleDecidesUpToItsLimit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rtt, mbps float64
		want      decision.LinkType
		by        LinkRule
	}{
		{0, 10_000, decision.DC, DCRule},
		{2, 1000, decision.DC, DCRule},
		{2.001, 1000, decision.Metro, MetroRule},
		{2, 999, decision.Metro, MetroRule},
		{15, 100, decision.Metro, MetroRule},
		{15, 99.9, decision.Edge, EdgeRule},
		{15.001, 100, decision.WAN, WANRule},
		{35, 99.9, decision.Edge, EdgeRule},
		{35.001, 99.9, decision.WAN, WANRule},
		{0.1, 1, decision.Edge, EdgeRule},
		{600, 10_000, decision.WAN, WANRule},
		{-1, 100, "", NoLinkRule},
		{math.NaN(), 100, "", NoLinkRule},
		{math.Inf(1), 100, "", NoLinkRule},
		{1, 0, "", NoLinkRule},
		{1, -5, "", NoLinkRule},
		{1, math.NaN(), "", NoLinkRule},
		{1, math.Inf(1), "", NoLinkRule},
	} {
		got, by := DefaultLinkLimits().Classify(c.rtt, c.mbps)
		assert.Equal(t, c.want, got, "%v ms, %v Mbit/s", c.rtt, c.mbps)
		assert.Equal(t, c.by, by, "%v ms, %v Mbit/s", c.rtt, c.mbps)
		assert.NotEmpty(t, by.String())
	}
}

// randomLimits are any that are in order.
func randomLimits(random *rand.Rand) LinkLimits {
	rtt := []float64{random.Float64() * 100, random.Float64() * 100, random.Float64() * 100}
	mbps := []float64{random.Float64() * 5000, random.Float64() * 5000, random.Float64() * 5000}
	slices.Sort(rtt)
	slices.Sort(mbps)
	return LinkLimits{
		DCMaxRTTMillis: rtt[0], MetroMaxRTTMillis: rtt[1], EdgeMaxRTTMillis: rtt[2],
		EdgeBelowMbps: mbps[0], MetroMinMbps: mbps[1], DCMinMbps: mbps[2],
	}
}

func TestTypesChangeInOneDirection(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 1))
	byRTT := []decision.LinkType{decision.DC, decision.Metro, decision.Edge, decision.WAN}
	byCapacity := []decision.LinkType{decision.Edge, decision.WAN, decision.Metro, decision.DC}
	for range 200 {
		limits := randomLimits(random)
		require.NoError(t, limits.Validate())
		rtt, mbps := random.Float64()*120, random.Float64()*6000
		last, lastMbps := 0, 0
		for step := range 200 {
			got, _ := limits.Classify(float64(step), mbps)
			at := slices.Index(byRTT, got)
			assert.GreaterOrEqual(t, at, last, "%+v: %v Mbit/s at %d ms", limits, mbps, step)
			last = at

			got, _ = limits.Classify(rtt, float64(step*30+1))
			at = slices.Index(byCapacity, got)
			assert.GreaterOrEqual(t, at, lastMbps, "%+v: %v ms with %d Mbit/s", limits, rtt, step*30+1)
			lastMbps = at
		}
	}
}

func TestLimitsOutOfOrderAreNamed(t *testing.T) {
	t.Parallel()
	require.NoError(t, DefaultLinkLimits().Validate())
	limits := LinkLimits{
		DCMaxRTTMillis: 20, DCMinMbps: 50, MetroMaxRTTMillis: 15, MetroMinMbps: 100,
		EdgeMaxRTTMillis: math.NaN(), EdgeBelowMbps: -1,
	}
	err := limits.Validate()
	assert.EqualError(t, err, "link limits: EdgeMaxRTTMillis: must be above 0 and finite, got NaN\n"+
		"EdgeBelowMbps: must be above 0 and finite, got -1\n"+
		"DCMaxRTTMillis: must be at most MetroMaxRTTMillis (15), got 20\n"+
		"MetroMinMbps: must be at most DCMinMbps (50), got 100")
}

// capacityOf undoes what other traffic takes off.
func capacityOf(d *decision.Decision) float64 {
	return d.BandwidthAvailableMbps / (1 - d.BandwidthUtilization/100)
}

// The sample's links overlap: where wan and edge have the same RTT and capacity no
// limit can tell them apart. Beside the accuracy of the default limits stands
// that of the best guess for each cell of a fine grid laid over the same
// decisions, which no limits can beat by much.
func TestDefaultLimitsFindTheSamplesLinkTypes(t *testing.T) {
	t.Parallel()
	var right, rightByAvailable, all int
	perType := map[decision.LinkType][2]int{}
	grid := map[[2]int]map[decision.LinkType]int{}
	for d, err := range sample.Measured() {
		require.NoError(t, err)
		all++
		capacity := capacityOf(&d)
		got, _ := DefaultLinkLimits().Classify(d.RTTMillis, capacity)
		counts := perType[d.LinkType]
		counts[0]++
		if got == d.LinkType {
			right++
			counts[1]++
		}
		perType[d.LinkType] = counts
		if got, _ := DefaultLinkLimits().Classify(d.RTTMillis, d.BandwidthAvailableMbps); got == d.LinkType {
			rightByAvailable++
		}
		cell := [2]int{int(math.Log2(d.RTTMillis) * 3), int(math.Log2(capacity) * 3)}
		if grid[cell] == nil {
			grid[cell] = map[decision.LinkType]int{}
		}
		grid[cell][d.LinkType]++
	}
	best := 0
	for _, types := range grid {
		most := 0
		for _, n := range types {
			most = max(most, n)
		}
		best += most
	}
	share := func(n int) float64 { return 100 * float64(n) / float64(all) }
	t.Logf("by capacity %.1f %%, by what is available %.1f %%, best guess per cell of %d %.1f %%", share(right), share(rightByAvailable), len(grid), share(best))
	require.Greater(t, all, 6000)
	atLeast := map[decision.LinkType]float64{decision.DC: 95, decision.Metro: 95, decision.WAN: 55, decision.Edge: 70}
	for linkType, least := range atLeast {
		counts := perType[linkType]
		found := 100 * float64(counts[1]) / float64(counts[0])
		t.Logf("%s: %.1f %%", linkType, found)
		assert.Greater(t, found, least, linkType)
	}
	assert.Len(t, perType, len(atLeast))
	assert.Greater(t, share(right), 83.)
	assert.Less(t, share(best)-share(right), 8.)
	assert.Greater(t, share(right), share(rightByAvailable))
}

func FuzzClassifyNeverSaysWhatTheEventRefuses(f *testing.F) {
	f.Add(1.0, 100.0)
	f.Add(math.NaN(), math.Inf(-1))
	f.Fuzz(func(t *testing.T, rtt, mbps float64) {
		got, rule := DefaultLinkLimits().Classify(rtt, mbps)
		d := decision.Decision{LinkType: got}
		assert.Equal(t, rule == NoLinkRule, decision.Column("link_type").Check(&d) != nil)
	})
}
