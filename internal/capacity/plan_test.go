package capacity

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// input is a plan for a rate with the defaults.
func input(rate float64) Input {
	in := Defaults()
	in.Rate = rate
	return in
}

func makePlan(t *testing.T, in Input) *Plan {
	t.Helper()
	require.NoError(t, in.Check())
	c := Measured()
	return Make(in, &c)
}

func TestCommittedFiguresAreComplete(t *testing.T) {
	t.Parallel()
	c := Measured()
	require.NoError(t, c.Check())
	require.NotEmpty(t, c.Machine)
	delete(c.Figures, WALBytes)
	require.EqualError(t, c.Check(), "wal_bytes: was not measured")
	c.Figures[WALBytes] = Value{Median: 1, Low: 2, High: 3}
	require.ErrorContains(t, c.Check(), "wal_bytes: must be above 0")
	c.Figures[WALBytes] = Value{Median: 1, Low: 1, High: 1}
	c.Figures["moon_phase"] = c.Figures[WALBytes]
	require.EqualError(t, c.Check(), "moon_phase: is no figure that is described")
}

func TestEveryNumberIsItsUnit(t *testing.T) {
	t.Parallel()
	// One decision a second, round costs: each number can be told by hand.
	c := Measured()
	for f := range c.Figures {
		c.Figures[f] = Value{Median: 1, Low: 1, High: 1}
	}
	c.Figures[WireBytes], c.Figures[QueueBytes] = Value{Median: 1000}, Value{Median: 300}
	c.Figures[HeapBytes], c.Figures[IndexBytes] = Value{Median: 500}, Value{Median: 100}
	in := input(1000)
	in.Days, in.Outage = 10, time.Hour
	p := Make(in, &c)
	for _, want := range []struct {
		station, name string
		value         float64
	}{
		{"data", "rows", 86.4e6},
		{"data", "rows in the table", 864e6},
		{"data", "training candidates", 8.64e6},
		{"recorder", "ring lasts", 8.192},
		{"network", "Recorders to collectors or agents", 8},
		{"network", "collectors or gateways to PostgreSQL", 2.4},
		{"collectors", "transactions", 5},
		{"collectors", "collectors' CPU", 0.001005},
		{"queue", "queue_size", 3_600_000},
		{"queue", "disk", 3_600_000 * 300 * 1.25},
		{"disk", "table", 864e6 * 500},
		{"disk", "indexes", 864e6 * 100},
	} {
		require.InEpsilon(t, want.value, p.Value(want.station, want.name), 1e-9, "%s: %s", want.station, want.name)
	}
	require.Equal(t, 100.0, p.Milestones[0].Seconds)
	require.Equal(t, Day, p.Partitions.Period, "51.8 GB a day, 363 GB a week")
}

func TestMoreDecisionsNeverNeedLess(t *testing.T) {
	t.Parallel()
	draw := rand.New(rand.NewPCG(1, 2))
	// How long something lasts shrinks, and how fast a queue is empty depends on
	// how many machines there are.
	lasts := map[string]bool{"ring lasts": true, "the default of 1,000,000 lasts": true, "empty again after": true, "of these on the busiest machine": true, "max_wal_size": true, "queue_size": true}
	for range 500 {
		in := randomInput(draw)
		more := in
		more.Rate = min(in.Rate*(1+draw.Float64()*10), maxPerHost*float64(in.Hosts), MaxRate)
		few, many := makePlan(t, in), makePlan(t, more)
		for _, n := range few.Needs {
			if lasts[n.Name] || n.Station == "queue" {
				continue
			}
			// A shorter period leaves less of what has expired.
			if few.Partitions.Period != many.Partitions.Period && (n.Station == "disk" || n.Station == "postgresql") {
				continue
			}
			require.GreaterOrEqual(t, many.Value(n.Station, n.Name)*(1+1e-9), n.Value, "%s: %s at %g and %g decisions/s: %+v", n.Station, n.Name, in.Rate, more.Rate, in)
		}
		for _, n := range many.Needs {
			require.False(t, math.IsNaN(n.Value) || math.IsInf(n.Value, 0) || n.Value < 0, "%s: %s: %v of %+v", n.Station, n.Name, n.Value, more)
		}
	}
}

func randomInput(draw *rand.Rand) Input {
	in := Defaults()
	in.Hosts = 1 + draw.IntN(1000)
	in.Rate = math.Pow(10, draw.Float64()*5)
	in.Days = 1 + float64(draw.IntN(1000))
	in.Sampling = 1 - draw.Float64()*0.999
	in.Shadow = draw.Float64()
	in.Retention = time.Duration(1+draw.IntN(3000)) * day
	in.Outage = time.Duration(draw.IntN(100)) * time.Hour
	in.Tier = []Tier{Direct, Gateway, Kafka}[draw.IntN(3)]
	in.Gzip = draw.IntN(2) == 0
	in.Headroom = 1 + draw.Float64()*4
	return in
}

func TestSamplingIsTheSameAsFewerDecisions(t *testing.T) {
	t.Parallel()
	sampled := input(10_000)
	sampled.Sampling = 0.01
	a, b := makePlan(t, sampled), makePlan(t, input(100))
	for _, n := range a.Needs {
		if n.Name == "decisions" || n.Name == "on DWCP's own threads" {
			continue // are of all decisions
		}
		require.InEpsilon(t, b.Value(n.Station, n.Name), n.Value, 1e-9, "%s: %s", n.Station, n.Name)
	}
}

func TestMilestonesThatAreNeverReachedSayWhy(t *testing.T) {
	t.Parallel()
	in := input(100)
	in.Shadow = 0
	for _, m := range makePlan(t, in).Milestones {
		require.Equal(t, "without shadow runs no row is a candidate", m.Never)
	}
	in = input(0.001)
	in.Shadow = 0.5
	require.Contains(t, makePlan(t, in).Milestones[0].Never, "retention")
	in = input(1)
	in.Days = 0.5
	require.Equal(t, "not within the days", makePlan(t, in).Milestones[0].Never)
}

func TestWhatBreaksFirstComesFirstAndBreaksAtItsRate(t *testing.T) {
	t.Parallel()
	p := makePlan(t, input(20_000))
	for i := 1; i < len(p.Limits); i++ {
		require.LessOrEqual(t, p.Limits[i].Used, p.Limits[i-1].Used)
	}
	first := p.Limits[0]
	require.Greater(t, first.Used, 1.0)
	for _, rate := range []float64{first.AtRate * 0.98, first.AtRate * 1.02} {
		for _, l := range makePlan(t, input(rate)).Limits {
			if l.What == first.What {
				require.Equal(t, rate > first.AtRate, l.Used > 1, "%s at %g of %g", l.What, rate, first.AtRate)
			}
		}
	}
}

func TestBeyondWhatWasMeasuredIsSaid(t *testing.T) {
	t.Parallel()
	require.Empty(t, makePlan(t, input(2)).Beyond)
	large := makePlan(t, input(1e5))
	require.Contains(t, strings.Join(large.Beyond, "\n"), "extrapolated")
	require.Contains(t, strings.Join(large.Beyond, "\n"), "machines of PostgreSQL")
}

func TestEnoughSamplingGivesEnoughCandidates(t *testing.T) {
	t.Parallel()
	in := input(5000)
	in.Sampling = makePlan(t, in).EnoughSampling
	require.Less(t, in.Sampling, 0.01)
	require.InEpsilon(t, enoughCandidates, makePlan(t, in).Value("data", "training candidates in the table"), 1e-6)
}

func TestNonsenseIsRefusedByTheFlagsName(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		change func(*Input)
		want   string
	}{
		{func(in *Input) { in.Rate = 0 }, "--rate: must be above 0"},
		{func(in *Input) { in.Rate = math.NaN() }, "--rate: must be above 0"},
		{func(in *Input) { in.Rate = math.Inf(1) }, "--rate: must be above 0"},
		{func(in *Input) { in.Rate = 1e9 }, "--rate: must be above 0 and at most 100000000"},
		{func(in *Input) { in.Days = -1 }, "--days: must be above 0"},
		{func(in *Input) { in.Sampling = 1.5 }, "--sampling: must be above 0 and at most 1, got 1.5"},
		{func(in *Input) { in.Shadow = math.NaN() }, "--shadow-ratio: must be between 0 and 1"},
		{func(in *Input) { in.Retention = time.Hour }, "--retention: must be between 1d"},
		{func(in *Input) { in.Outage = -time.Hour }, "--outage: must be between 0"},
		{func(in *Input) { in.Hosts = 0 }, "--hosts: must be between 1"},
		{func(in *Input) { in.Rate = 1e6 }, "--hosts: must be at least 4: no host makes more than 300000"},
		{func(in *Input) { in.Tier = "pigeon" }, `--tier: must be direct, gateway or kafka, got "pigeon"`},
		{func(in *Input) { in.Headroom = 0.5 }, "--headroom: must be between 1"},
		{func(in *Input) { in.Machines.CollectorCores = 0 }, "--collector-cores"},
		{func(in *Input) { in.Machines.DatabaseTB = 0 }, "--database-disk"},
	} {
		in := input(100)
		c.change(&in)
		require.ErrorContains(t, in.Check(), c.want)
	}
	in := input(0)
	in.Hosts = 0
	require.ErrorContains(t, in.Check(), "--rate")
	require.ErrorContains(t, in.Check(), "--hosts", "all problems at once")
}

func TestTextAndJSONSayTheSame(t *testing.T) {
	t.Parallel()
	in := input(50_000)
	in.Hosts, in.Tier = 200, Gateway
	p := makePlan(t, in)
	var text strings.Builder
	require.NoError(t, p.WriteText(&text))
	for _, n := range p.Needs {
		require.Contains(t, text.String(), n.Name)
		require.Contains(t, text.String(), valueText(n))
	}
	for _, l := range p.Limits {
		require.Equal(t, l.Used > 1, strings.Contains(text.String(), l.What+": at "), l.What)
	}
	data, err := json.Marshal(p)
	require.NoError(t, err)
	require.NotContains(t, string(data), "flow")
	var back Plan
	require.NoError(t, json.Unmarshal(data, &back))
	require.Equal(t, p.Needs, back.Needs)
	require.Equal(t, p.Limits, back.Limits)
}

func TestNumbersHaveThreeDigitsThatCount(t *testing.T) {
	t.Parallel()
	for f, want := range map[float64]string{
		0: "0", 1e-9: "under 0.000001", 0.00012345: "0.000123", 0.01234: "0.0123", 1: "1", 12.345: "12.3", 999.4: "999", 999.6: "1,000",
		1234: "1,230", 86_400: "86,400", 999_400: "999,000", 999_600: "1 million", 7.776e9: "7.78 billion", 2.59e12: "2.59 trillion",
	} {
		require.Equal(t, want, number(f))
	}
	require.Equal(t, "4.02 TB", bytesText(4.02e12))
	require.Equal(t, "1.34 PB", bytesText(1.34e15))
	require.Equal(t, "82 s", durationText(81.96))
	require.Equal(t, "4 h", durationText(4*3600))
	require.Equal(t, "90 days", durationText(90*secondsPerDay))
}

func TestTheModelPredictsWhatWasMeasured(t *testing.T) {
	t.Parallel()
	c := Measured()
	for _, p := range Predictions(&c) {
		require.InDelta(t, 0, p.Deviation(), 0.35, "%s: %g predicted, %g measured", p.What, p.Predicted, p.Measured)
	}
}
