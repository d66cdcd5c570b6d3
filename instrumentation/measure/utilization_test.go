package measure

import (
	"math"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/novacron/dwcp-telemetry/decision"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func TestUtilizationIsBitsOverCapacity(t *testing.T) {
	t.Parallel()
	none := decision.Opt[float64]{}
	for _, c := range []struct {
		bytes    int64
		interval time.Duration
		capacity float64
		want     decision.Opt[float64]
	}{
		{125_000_000, time.Second, 1000, decision.Some(100.0)},
		{31_250_000, time.Second, 1000, decision.Some(25.0)},
		{31_250_000, 500 * time.Millisecond, 1000, decision.Some(50.0)},
		{0, time.Second, 1000, decision.Some(0.0)},
		{math.MaxInt64, time.Nanosecond, 1e-9, decision.Some(100.0)},
		{-1, time.Second, 1000, none},
		{1, 0, 1000, none},
		{1, -time.Second, 1000, none},
		{1, time.Second, 0, none},
		{1, time.Second, -1, none},
		{1, time.Second, math.NaN(), none},
		{1, time.Second, math.Inf(1), none},
	} {
		assert.Equal(t, c.want, Utilization(c.bytes, c.interval, c.capacity), "%+v", c)
	}
}

// reading is one of a counter, seconds after noon.
type reading struct {
	second  float64
	counter uint64
}

func (r reading) at() time.Time { return noon.Add(time.Duration(r.second * float64(time.Second))) }

func TestMeterTellsTheTimeBetweenTheLastTwoReadings(t *testing.T) {
	t.Parallel()
	none := decision.Opt[float64]{}
	for name, c := range map[string]struct {
		counter32 bool
		readings  []reading
		want      decision.Opt[float64] // of 8 Mbit/s, so that 1,000,000 bytes a second are 100 %
	}{
		"no reading":                             {},
		"one reading":                            {false, []reading{{0, 5}}, none},
		"two":                                    {false, []reading{{0, 5}, {1, 250_005}}, decision.Some(25.0)},
		"the last two of three":                  {false, []reading{{0, 0}, {1, 900_000}, {3, 1_100_000}}, decision.Some(10.0)},
		"more than the link carries":             {false, []reading{{0, 0}, {1, 5_000_000}}, decision.Some(100.0)},
		"standing still":                         {false, []reading{{0, 7}, {1, 7}}, decision.Some(0.0)},
		"twice at the same time":                 {false, []reading{{0, 0}, {1, 250_000}, {1, 900_000}}, decision.Some(25.0)},
		"the clock went back":                    {false, []reading{{5, 0}, {1, 250_000}}, none},
		"the clock went back, then on":           {false, []reading{{5, 0}, {1, 250_000}, {2, 750_000}}, decision.Some(50.0)},
		"a counter that started anew":            {false, []reading{{0, 4_000_000_000}, {1, 250_000}}, none},
		"and went on":                            {false, []reading{{0, 4_000_000_000}, {1, 250_000}, {2, 750_000}}, decision.Some(50.0)},
		"32 bits wrap":                           {true, []reading{{0, 1<<32 - 100_000}, {1, 150_000}}, decision.Some(25.0)},
		"32 bits cannot wrap from above":         {true, []reading{{0, 1 << 32}, {1, 150_000}}, none},
		"the largest step there is":              {false, []reading{{0, 0}, {1, math.MaxUint64}}, decision.Some(100.0)},
		"a reading of the last moment of uint64": {false, []reading{{0, math.MaxUint64}, {1, math.MaxUint64}}, decision.Some(0.0)},
	} {
		meter := UtilizationMeter{CapacityMbps: 8, Counter32: c.counter32}
		last := noon
		for _, r := range c.readings {
			meter.Observe(r.at(), r.counter)
			last = r.at()
		}
		assert.Equal(t, c.want, meter.Percent(last), name)
	}
}

func TestMeterForgetsWhatIsNotJustBefore(t *testing.T) {
	t.Parallel()
	for maxAge, want := range map[time.Duration]time.Duration{0: 10 * time.Second, time.Minute: time.Minute} {
		meter := UtilizationMeter{CapacityMbps: 8, MaxAge: maxAge}
		meter.Observe(noon, 0)
		meter.Observe(noon.Add(time.Second), 250_000)
		last := noon.Add(time.Second)
		assert.Equal(t, decision.Some(25.0), meter.Percent(last.Add(want)))
		assert.False(t, meter.Percent(last.Add(want+1)).Set)
		assert.False(t, meter.AvailableMbps(last.Add(want+1)).Set)
	}
}

func TestAvailableIsWhatOtherTrafficLeaves(t *testing.T) {
	t.Parallel()
	meter := UtilizationMeter{CapacityMbps: 8}
	meter.Observe(noon, 0)
	meter.Observe(noon.Add(time.Second), 250_000)
	assert.Equal(t, decision.Some(6.0), meter.AvailableMbps(noon.Add(time.Second)))
	meter.Observe(noon.Add(2*time.Second), 9_000_000)
	assert.Equal(t, decision.Some(0.08), meter.AvailableMbps(noon.Add(2*time.Second)), "a full link: the event cannot say 0")
	assert.False(t, (&UtilizationMeter{}).AvailableMbps(noon).Set, "nothing read yet")
}

func TestMeterCountsWhatIsAdded(t *testing.T) {
	t.Parallel()
	meter := UtilizationMeter{CapacityMbps: 8}
	meter.ObserveAdded(noon)
	var wait sync.WaitGroup
	for range 10 {
		wait.Go(func() {
			for range 100 {
				meter.Add(500)
				meter.Add(-1)
			}
		})
	}
	wait.Wait()
	meter.ObserveAdded(noon.Add(time.Second))
	assert.Equal(t, decision.Some(50.0), meter.Percent(noon.Add(time.Second)))
}

func FuzzMeterStaysInRange(f *testing.F) {
	f.Add(int64(0), uint64(0), int64(1), uint64(5), 100.0, false)
	f.Add(int64(math.MaxInt64), uint64(math.MaxUint64), int64(math.MinInt64), uint64(0), math.Inf(1), true)
	f.Fuzz(func(t *testing.T, at1 int64, counter1 uint64, at2 int64, counter2 uint64, capacity float64, counter32 bool) {
		meter := UtilizationMeter{CapacityMbps: capacity, Counter32: counter32, MaxAge: math.MaxInt64}
		meter.Observe(time.Unix(0, at1), counter1)
		meter.Observe(time.Unix(0, at2), counter2)
		if got := meter.Percent(time.Unix(0, at2)); got.Set {
			d := decision.Decision{BandwidthUtilization: got.Value}
			assert.Nil(t, decision.Column("bandwidth_utilization").Check(&d))
		}
	})
}
