package measure

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
)

func newPriors(t testing.TB, options PriorsOptions) *Priors {
	t.Helper()
	p, err := NewPriors(options)
	require.NoError(t, err)
	return p
}

// before is a decision at the choice, after the same when both arms are in.
func before() decision.Decision {
	return decision.Decision{
		LinkType: decision.WAN, Region: "eu-west-1", BandwidthAvailableMbps: 100, RTTMillis: 40,
		PayloadBytes: 1 << 20, PayloadType: "vm_memory",
	}
}

func after() decision.Decision {
	d := before()
	d.HDECompressionRatio, d.HDEDeltaHitRate = decision.Some(4.0), decision.Some(30.0)
	d.HDELatencyMillis, d.HDECPUUsage = decision.Some(10.0), decision.Some(50.0)
	d.AMSTTransferRateMbps, d.AMSTLatencyMillis, d.AMSTCPUUsage = decision.Some(80.0), decision.Some(100.0), decision.Some(5.0)
	return d
}

// observe learns from as many runs like d.
func observe(p *Priors, d decision.Decision, times int) {
	for range times {
		p.Observe(&d)
	}
}

func filled(p *Priors, d decision.Decision) decision.Decision {
	p.Fill(&d)
	return d
}

func TestPriorsAreWhatWasSeenBefore(t *testing.T) {
	t.Parallel()
	p := newPriors(t, PriorsOptions{})
	want := before()
	want.PriorSamples = decision.Some(int64(0))
	assert.Equal(t, want, filled(p, before()), "nothing is known yet, and that is known")

	observe(p, after(), 3)
	got := filled(p, before())
	for column, value := range map[string]float64{
		"hde_prior_compression_ratio": 4, "hde_prior_delta_hit_rate": 30, "hde_prior_latency_ms": 10, "hde_prior_cpu_usage": 50,
		"amst_prior_transfer_rate_mbps": 80, "amst_prior_latency_ms": 100, "amst_prior_cpu_usage": 5,
	} {
		v, ok := decision.Column(column).Value(&got)
		require.True(t, ok, column)
		assert.InDelta(t, value, v.Float(), 1e-9, column)
	}
	assert.Equal(t, decision.Some(int64(6)), got.PriorSamples, "three runs of each arm")
}

func TestMeansAreGeometricOfQuantitiesAndArithmeticOfShares(t *testing.T) {
	t.Parallel()
	p := newPriors(t, PriorsOptions{HalfLifeRuns: 1e12})
	low, high := after(), after()
	low.HDECompressionRatio, high.HDECompressionRatio = decision.Some(1.0), decision.Some(16.0)
	low.HDECPUUsage, high.HDECPUUsage = decision.Some(10.0), decision.Some(30.0)
	low.HDEDeltaHitRate, high.HDEDeltaHitRate = decision.Some(0.0), decision.Some(50.0)
	low.AMSTLatencyMillis, high.AMSTLatencyMillis = decision.Some(10.0), decision.Some(1000.0)
	p.Observe(&low)
	p.Observe(&high)
	got := filled(p, before())
	assert.InDelta(t, 4, got.HDEPriorCompressionRatio.Value, 1e-9)
	assert.InDelta(t, 20, got.HDEPriorCPUUsage.Value, 1e-9)
	assert.InDelta(t, 25, got.HDEPriorDeltaHitRate.Value, 1e-9)
	assert.InDelta(t, 100, got.AMSTPriorLatencyMillis.Value, 1e-6)
}

func TestARunCountsHalfAfterItsHalfLife(t *testing.T) {
	t.Parallel()
	p := newPriors(t, PriorsOptions{HalfLifeRuns: 4, MinRuns: 1})
	old, recent := after(), after()
	old.HDECPUUsage, recent.HDECPUUsage = decision.Some(0.0), decision.Some(100.0)
	observe(p, old, 1000) // so many that the older ones weigh nothing
	observe(p, recent, 4)
	assert.InDelta(t, 50, filled(p, before()).HDEPriorCPUUsage.Value, 1e-9)
	observe(p, recent, 4)
	assert.InDelta(t, 75, filled(p, before()).HDEPriorCPUUsage.Value, 1e-9)
}

func TestHDELatencyFollowsTheSizeWithinAClass(t *testing.T) {
	t.Parallel()
	p := newPriors(t, PriorsOptions{})
	observe(p, after(), 2) // 1 MiB in 10 ms
	d := before()
	d.PayloadBytes = 3 << 20
	got := filled(p, d)
	assert.InDelta(t, 30, got.HDEPriorLatencyMillis.Value, 1e-9)
	assert.InDelta(t, 100, got.AMSTPriorLatencyMillis.Value, 1e-9)
	d.PayloadBytes = 4 << 20
	assert.False(t, filled(p, d).HDEPriorLatencyMillis.Set, "another class")
}

// Each case is what HDE and AMST still know of a decision that differs.
func TestSparseCellFallsBackToCoarserOnes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change    func(*decision.Decision)
		hde, amst bool
	}{
		"the same":          {func(*decision.Decision) {}, true, true},
		"another link":      {func(d *decision.Decision) { d.LinkType = decision.DC }, true, false},
		"another payload":   {func(d *decision.Decision) { d.PayloadType = "database" }, true, true},
		"no payload type":   {func(d *decision.Decision) { d.PayloadType = "" }, true, true},
		"both":              {func(d *decision.Decision) { d.LinkType, d.PayloadType = decision.Edge, "database" }, true, false},
		"a baseline":        {func(d *decision.Decision) { d.HasBaseline = true }, false, true},
		"another size":      {func(d *decision.Decision) { d.PayloadBytes *= 16 }, false, false},
		"no such link":      {func(d *decision.Decision) { d.LinkType = "lan" }, false, false},
		"a payload of 0":    {func(d *decision.Decision) { d.PayloadBytes = 0 }, false, false},
		"a payload below 0": {func(d *decision.Decision) { d.PayloadBytes = math.MinInt64 }, false, false},
	} {
		p := newPriors(t, PriorsOptions{})
		observe(p, after(), 2)
		d := before()
		c.change(&d)
		p.Fill(&d)
		assert.Equal(t, c.hde, d.HDEPriorCompressionRatio.Set, name)
		assert.Equal(t, c.amst, d.AMSTPriorLatencyMillis.Set, name)
		assert.True(t, d.PriorSamples.Set, name)
	}
}

func TestTheFinestCellWithEnoughRunsAnswers(t *testing.T) {
	t.Parallel()
	p := newPriors(t, PriorsOptions{MinRuns: 3})
	elsewhere := after()
	elsewhere.LinkType, elsewhere.HDECPUUsage = decision.DC, decision.Some(90.0)
	observe(p, elsewhere, 3)
	observe(p, after(), 2) // 50 %, but too few
	assert.Greater(t, filled(p, before()).HDEPriorCPUUsage.Value, 60.0, "all links together")
	assert.Equal(t, int64(5), filled(p, before()).PriorSamples.Value)
	observe(p, after(), 1)
	assert.InDelta(t, 50, filled(p, before()).HDEPriorCPUUsage.Value, 1e-9, "this link alone")
}

func TestOnlyAnArmThatRanIsLearnedFrom(t *testing.T) {
	t.Parallel()
	none := decision.Opt[float64]{}
	shadow := decision.Some(decision.Shadow)
	for name, c := range map[string]struct {
		change    func(*decision.Decision)
		hde, amst bool
	}{
		"both":                         {func(*decision.Decision) {}, true, true},
		"success":                      {func(d *decision.Decision) { d.ActualOutcome = decision.Some(decision.Success) }, true, true},
		"no HDE":                       {func(d *decision.Decision) { d.HDELatencyMillis = none }, false, true},
		"no ratio":                     {func(d *decision.Decision) { d.HDECompressionRatio = none }, false, true},
		"no CPU share of AMST":         {func(d *decision.Decision) { d.AMSTCPUUsage = none }, true, false},
		"failure":                      {func(d *decision.Decision) { d.ActualOutcome = decision.Some(decision.Failure) }, false, false},
		"failure, AMST was the shadow": {func(d *decision.Decision) { d.ActualOutcome, d.AMSTSource = decision.Some(decision.Failure), shadow }, false, true},
		"fallback, HDE was the shadow": {func(d *decision.Decision) { d.ActualOutcome, d.HDESource = decision.Some(decision.Fallback), shadow }, true, false},
		"NaN":                          {func(d *decision.Decision) { d.HDELatencyMillis.Value = math.NaN() }, false, true},
		"infinite":                     {func(d *decision.Decision) { d.AMSTTransferRateMbps.Value = math.Inf(1) }, true, false},
		"below 0":                      {func(d *decision.Decision) { d.AMSTLatencyMillis.Value = -1 }, true, false},
		"CPU above 100":                {func(d *decision.Decision) { d.HDECPUUsage.Value = 109.55 }, false, true},
		"a ratio of 0":                 {func(d *decision.Decision) { d.HDECompressionRatio.Value = 0 }, false, true},
		"more than the event holds":    {func(d *decision.Decision) { d.HDELatencyMillis.Value = 1e13 }, false, true},
		"no such link":                 {func(d *decision.Decision) { d.LinkType = "lan" }, false, false},
	} {
		p := newPriors(t, PriorsOptions{MinRuns: 1})
		d := after()
		c.change(&d)
		p.Observe(&d)
		got := filled(p, before())
		assert.Equal(t, c.hde, got.HDEPriorCompressionRatio.Set, name)
		assert.Equal(t, c.amst, got.AMSTPriorLatencyMillis.Set, name)
	}
}

func TestHitRateIsLearnedWhereItIsKnown(t *testing.T) {
	t.Parallel()
	p := newPriors(t, PriorsOptions{})
	without := after()
	without.HDEDeltaHitRate = decision.Opt[float64]{}
	observe(p, without, 5)
	got := filled(p, before())
	assert.True(t, got.HDEPriorCompressionRatio.Set)
	assert.False(t, got.HDEPriorDeltaHitRate.Set)
	observe(p, after(), 1)
	observe(p, without, 5)
	assert.InDelta(t, 30, filled(p, before()).HDEPriorDeltaHitRate.Value, 1e-9)
}

func TestPriorsNeverHoldWhatCameOfTheChoice(t *testing.T) {
	t.Parallel()
	p := newPriors(t, PriorsOptions{MinRuns: 1})
	d := before()
	p.Fill(&d)
	known := d
	d.HDECompressionRatio, d.HDELatencyMillis, d.HDECPUUsage = decision.Some(4.0), decision.Some(1.0), decision.Some(2.0)
	p.Observe(&d)
	p.Fill(&d) // too late
	assert.Equal(t, known.PriorSamples, d.PriorSamples)
	assert.False(t, d.HDEPriorCompressionRatio.Set)

	late := after()
	p.Fill(&late)
	assert.Equal(t, after(), late, "an outcome is in already")
	used := before()
	used.ActualAlgorithm = decision.Some(decision.HDE)
	assert.False(t, filled(p, used).PriorSamples.Set)
}

func TestZeroesAreLearnedAndStayValid(t *testing.T) {
	t.Parallel()
	p := newPriors(t, PriorsOptions{})
	d := after()
	d.HDELatencyMillis, d.HDECPUUsage = decision.Some(0.0), decision.Some(0.0)
	d.AMSTTransferRateMbps, d.AMSTLatencyMillis = decision.Some(0.0), decision.Some(0.0)
	d.HDECompressionRatio = decision.Some(math.SmallestNonzeroFloat64)
	observe(p, d, 3)
	got := filled(p, before())
	requireValidPriors(t, &got)
	assert.InDelta(t, 0, got.HDEPriorLatencyMillis.Value, 1e-5)
}

func requireValidPriors(t *testing.T, d *decision.Decision) {
	t.Helper()
	for _, f := range decision.Fields() {
		if f.Role == decision.RolePrior {
			require.Nil(t, f.Check(d), f.Column)
		}
	}
}

func TestMemoryIsBoundedWhateverComes(t *testing.T) {
	t.Parallel()
	p := newPriors(t, PriorsOptions{})
	random := rand.New(rand.NewPCG(1, 1))
	links := append([]decision.LinkType{"", "lan", "x"}, linkTypes[:]...)
	for i := range 200_000 {
		d := after()
		d.PayloadType = fmt.Sprint("type ", random.IntN(40)*i/100_000)
		if random.IntN(10) == 0 {
			d.PayloadType = strings.Repeat("x", i%100)
		}
		d.LinkType = links[random.IntN(len(links))]
		d.PayloadBytes = random.Int64() >> random.IntN(63)
		d.HasBaseline = random.IntN(2) == 0
		p.Observe(&d)
	}
	assert.Len(t, p.types, 32)
	assert.LessOrEqual(t, len(p.cells), 14_976)
	assert.Greater(t, len(p.cells), 5000, "the test has filled it")

	// A type that came too late shares cells with the others like it.
	late := before()
	late.PayloadType = "too late"
	assert.True(t, filled(p, late).HDEPriorCompressionRatio.Set)
}

func TestPriorsMayBeUsedByMany(t *testing.T) {
	t.Parallel()
	p := newPriors(t, PriorsOptions{})
	var wait sync.WaitGroup
	for i := range 4 {
		wait.Go(func() {
			for range 500 {
				d := after()
				d.PayloadType = strconv.Itoa(i)
				p.Observe(&d)
				got := filled(p, before())
				assert.Contains(t, []bool{true, false}, got.HDEPriorCPUUsage.Set)
				assert.NoError(t, p.Save(new(strings.Builder)))
			}
		})
	}
	wait.Wait()
	assert.Equal(t, int64(2000+2000), filled(p, before()).PriorSamples.Value, "each payload's in the cells of all")
}

func TestNoPriorsKnowNothing(t *testing.T) {
	t.Parallel()
	var p *Priors
	d := before()
	p.Fill(&d)
	p.Observe(&d)
	assert.Equal(t, before(), d)
	assert.Error(t, p.Save(new(strings.Builder)))
	assert.Error(t, p.Load(strings.NewReader("{}")))
	newPriors(t, PriorsOptions{}).Fill(nil)
	newPriors(t, PriorsOptions{}).Observe(nil)
}

func TestOptionsOutOfRangeAreNamed(t *testing.T) {
	t.Parallel()
	_, err := NewPriors(PriorsOptions{HalfLifeRuns: math.NaN(), MinRuns: -1, MaxPayloadTypes: 254})
	assert.EqualError(t, err, "priors: HalfLifeRuns: must be above 0 and finite, got NaN\n"+
		"MinRuns: must be at least 1, got -1\nMaxPayloadTypes: must be 1..253, got 254")
}

func FuzzPriorsStayValid(f *testing.F) {
	f.Add(4.0, 10.0, 50.0, 30.0, 80.0, 100.0, 5.0, int64(1<<20), "vm_memory")
	f.Add(math.Inf(1), 0.0, 100.0, math.NaN(), 1e12, 1e12, 0.0, int64(1), "")
	f.Add(1e-300, 1e12, 0.0, 100.0, 0.0, 0.0, 100.0, int64(math.MaxInt64), "\x00")
	f.Add(1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, int64(1), "\xc8 is no UTF-8")
	f.Fuzz(func(t *testing.T, ratio, hdeLatency, hdeCPU, hitRate, rate, amstLatency, amstCPU float64, bytes int64, payloadType string) {
		p := newPriors(t, PriorsOptions{MinRuns: 1})
		d := before()
		d.PayloadBytes, d.PayloadType = bytes, payloadType
		choice := d
		d.HDECompressionRatio, d.HDELatencyMillis = decision.Some(ratio), decision.Some(hdeLatency)
		d.HDECPUUsage, d.HDEDeltaHitRate = decision.Some(hdeCPU), decision.Some(hitRate)
		d.AMSTTransferRateMbps, d.AMSTLatencyMillis, d.AMSTCPUUsage = decision.Some(rate), decision.Some(amstLatency), decision.Some(amstCPU)
		observe(p, d, 3)
		p.Fill(&choice)
		requireValidPriors(t, &choice)

		var saved strings.Builder
		require.NoError(t, p.Save(&saved))
		restored := newPriors(t, PriorsOptions{})
		require.NoError(t, restored.Load(strings.NewReader(saved.String())))
		assert.Equal(t, p.cells, restored.cells)
	})
}
