package validate

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
)

// The wanted values are those of scipy.stats.chi2.ppf.
func TestChiSquareQuantilesAreNear(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ degrees, probability, want float64 }{
		{9, 0.95, 16.919}, {9, 0.999, 27.877}, {3, 0.999, 16.266}, {9, 0.99999, 39.307}, {1, 0.999, 10.828},
	} {
		require.InEpsilon(t, test.want, chiSquareQuantile(test.degrees, test.probability), 0.035, "%v", test)
	}
}

// Two samples of the same distribution are told apart no more often than asked
// for, however few there are: the usual limit of 0.2 would be passed by most
// samples of 40.
func TestChanceAloneIsNoDrift(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 1))
	const runs, n, m = 2000, 40.0, 200.0
	usual, told := 0, 0
	for range runs {
		a, b := make([]float64, 10), make([]float64, 10)
		for range int(n) {
			a[random.IntN(10)]++
		}
		for range int(m) {
			b[random.IntN(10)]++
		}
		index := stabilityIndex(a, b)
		if index > 0.2 {
			usual++
		}
		if index > chanceIndex(n, m, 10, 0.99) {
			told++
		}
	}
	require.Greater(t, usual, runs/2)
	require.Less(t, told, runs/25)
}

func TestDriftThatMattersIsTold(t *testing.T) {
	t.Parallel()
	even, shifted := make([]float64, 10), make([]float64, 10)
	for i := range even {
		even[i], shifted[i] = 1000, float64(200*(i+1))
	}
	require.Zero(t, stabilityIndex(even, even))
	require.Greater(t, stabilityIndex(even, shifted), 0.2)
	require.InDelta(t, stabilityIndex(even, shifted), stabilityIndex(shifted, even), 1e-12)
	require.Less(t, chanceIndex(10_000, 11_000, 10, 0.99999), 0.02, "with so many rows chance explains nothing")
	gone := append(make([]float64, 5), 2000, 2000, 2000, 2000, 2000)
	require.False(t, math.IsInf(stabilityIndex(even, gone), 0), "a bin may be empty")
}

func TestRanksFindWhatFollowsFromAnother(t *testing.T) {
	t.Parallel()
	var a, squared, reversed, other []float64
	random := rand.New(rand.NewPCG(1, 1))
	for range 200 {
		x := random.Float64() * 100
		a, squared, reversed, other = append(a, x), append(squared, x*x), append(reversed, -x), append(other, random.Float64())
	}
	a[3], squared[7] = math.NaN(), math.NaN()
	require.InDelta(t, 1, correlation(ranks(a), ranks(squared)), 1e-3)
	require.InDelta(t, -1, correlation(ranks(a), ranks(reversed)), 1e-3)
	require.Less(t, math.Abs(correlation(ranks(a), ranks(other))), 0.3)
	require.Equal(t, []float64{0, 2, 2, 2, 4}, ranks([]float64{1, 5, 5, 5, 9}), "equal values share their mean rank")
	require.Zero(t, correlation(ranks(a[:10]), ranks(squared[:10])), "too few pairs say nothing")
}

func TestOfMoreKeysThanFitAShareIsRememberedAndKnownAgain(t *testing.T) {
	t.Parallel()
	s := newSeen[int]()
	s.max = 1000
	random := rand.New(rand.NewPCG(1, 1))
	hashes := make([]uint64, 10_000)
	for i := range hashes {
		hashes[i] = random.Uint64()
		_, known := s.put(hashes[i], i)
		require.False(t, known)
		require.LessOrEqual(t, len(s.entries), 1000)
	}
	again := 0
	for i, h := range hashes {
		if before, known := s.put(h, i); known {
			require.Equal(t, i, before)
			again++
		}
	}
	require.InDelta(t, len(hashes)/s.one(), again, 150)
	require.Equal(t, 16, s.one())
}

func TestTheSampleIsEvenAndTheSameEveryTime(t *testing.T) {
	t.Parallel()
	draw := func() []float64 {
		v, err := newValidator("test", nil, Options{Now: moment})
		require.NoError(t, err)
		s := newSample(v)
		s.max = 500
		p := &partState{part: &part{}}
		v.parts = []*partState{p}
		v.readHeader(p, []string{"rtt_ms"})
		for i := range 50_000 {
			v.current = row{v: v, part: p, cells: []string{""}, good: []bool{true}, num: []float64{float64(i)}}
			s.add(&v.current)
		}
		return s.values[0]
	}
	first := draw()
	require.Equal(t, first, draw())
	require.Len(t, first, 500)
	require.InDelta(t, 25_000, quantile(present(first), 0.5), 3_000)
	require.InDelta(t, 45_000, quantile(present(first), 0.9), 2_500)
}

func TestWeeksBeginOnMonday(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 16, 0, 0, 0, 0, time.UTC)
	require.Equal(t, time.Monday, at.Weekday())
	require.NotEqual(t, weekOf(at), weekOf(at.Add(-time.Microsecond)))
	require.Equal(t, weekOf(at), weekOf(at.AddDate(0, 0, 7).Add(-time.Second)))
	require.Equal(t, at, mondayOf(weekOf(at.AddDate(0, 0, 3))))
	early := time.Date(1969, 12, 30, 0, 0, 0, 0, time.UTC)
	require.Equal(t, time.Date(1969, 12, 29, 0, 0, 0, 0, time.UTC), mondayOf(weekOf(early)))
}

// HDE 18 ms and AMST 20 ms under completion/1; under plan/1 the utilities are
// about 80 and 40 (see the oracle's tests).
func TestRegretIsWhatTheOtherWayWouldHaveSaved(t *testing.T) {
	t.Parallel()
	d := sound()[:1]
	d[0].BandwidthAvailableMbps, d[0].RTTMillis = 100, 4
	d[0].HDECompressionRatio, d[0].HDELatencyMillis, d[0].HDECPUUsage = decision.Some(4.0), decision.Some(10.0), decision.Some(50.0)
	d[0].AMSTTransferRateMbps, d[0].AMSTLatencyMillis, d[0].AMSTCPUUsage = decision.Some(80.0), decision.Some(20.0), decision.Some(10.0)
	for _, test := range []struct {
		used           decision.Algorithm
		faster, agreed int64
		late, utility  float64
	}{{decision.HDE, 1, 1, 0, 0}, {decision.AMST, 0, 0, 2, 0.5}} {
		d[0].ActualAlgorithm = decision.Some(test.used)
		s := makeSheet(d, true)
		r := s.validate(t)
		g := r.Statistics.TotalRegret()
		require.EqualValues(t, 1, g.Decisions, r.Checks)
		require.Equal(t, []int64{test.faster, test.agreed}, []int64{g.Faster, g.Agreed})
		require.InDelta(t, test.late, g.MillisToFaster, 1e-9)
		require.InDelta(t, test.late, g.MillisToLabel, 1e-9)
		require.InDelta(t, test.utility, g.UtilityShare, 1e-6)
		require.InDelta(t, 18+test.late, g.Millis, 1e-9)
	}
}

func TestWithoutTheWayUsedThereIsNoRegret(t *testing.T) {
	t.Parallel()
	require.Empty(t, validTable(20).validate(t).Statistics.Regret)
}
