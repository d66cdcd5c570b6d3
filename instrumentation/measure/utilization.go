package measure

import (
	"math"
	"sync"
	"time"

	"github.com/novacron/dwcp-telemetry/decision"
)

// Utilization is the share of a capacity that bytes took over an interval,
// 0..100; what is more counts as 100. Missing where there are less than 0 bytes,
// no time, or no capacity.
func Utilization(bytes int64, interval time.Duration, capacityMbps float64) decision.Opt[float64] {
	if bytes < 0 || interval <= 0 || !(capacityMbps > 0) || math.IsInf(capacityMbps, 0) {
		return decision.Opt[float64]{}
	}
	mbps := float64(bytes) * 8 / 1e6 / interval.Seconds()
	return decision.Some(min(100*mbps/capacityMbps, 100))
}

// defaultMaxAge is how long a reading counts as "just before".
const defaultMaxAge = 10 * time.Second

// UtilizationMeter turns readings of a byte counter, for example an interface's,
// into utilisation: that of the time between the last two. Set its fields before
// its first use; its methods may be called from many goroutines.
type UtilizationMeter struct {
	CapacityMbps float64
	// Counter32 says that the counter wraps at 2^32. Without it a counter that
	// falls has started anew, and what it counted meanwhile is unknown.
	Counter32 bool
	// MaxAge is how long after its last reading the meter still answers; 0 means
	// 10 s.
	MaxAge time.Duration

	mu      sync.Mutex
	read    bool
	at      time.Time
	counter uint64
	own     uint64
	percent decision.Opt[float64]
}

// Observe takes a reading. One of the same time as the last is ignored; with an
// earlier one, from a clock that was set back, the meter starts anew.
func (m *UtilizationMeter) Observe(at time.Time, counter uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.observe(at, counter)
}

// Add counts bytes sent, for who has no counter to read. ObserveAdded takes the
// reading.
func (m *UtilizationMeter) Add(bytes int64) {
	if bytes <= 0 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.own += uint64(bytes)
}

// ObserveAdded is Observe of what Add has counted. A meter takes readings of one
// counter: either its own or another.
func (m *UtilizationMeter) ObserveAdded(at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.observe(at, m.own)
}

func (m *UtilizationMeter) observe(at time.Time, counter uint64) {
	interval := at.Sub(m.at)
	if m.read && interval == 0 {
		return
	}
	if m.read {
		m.percent = decision.Opt[float64]{}
		if bytes, ok := m.counted(counter); ok {
			m.percent = Utilization(bytes, interval, m.CapacityMbps)
		}
	}
	m.read, m.at, m.counter = true, at, counter
}

// counted is by how much the counter has grown.
func (m *UtilizationMeter) counted(counter uint64) (int64, bool) {
	grown := counter - m.counter
	if counter < m.counter {
		if !m.Counter32 || m.counter > math.MaxUint32 {
			return 0, false
		}
		grown += 1 << 32 // modulo 2^64 this is 2^32 - old + new
	}
	return int64(min(grown, math.MaxInt64)), true
}

// Percent is the utilisation between the last two readings, 0..100. Missing
// before there are two, after the counter started anew or the clock went back,
// and when the last reading is older than MaxAge at now.
func (m *UtilizationMeter) Percent(now time.Time) decision.Opt[float64] {
	m.mu.Lock()
	defer m.mu.Unlock()
	maxAge := m.MaxAge
	if maxAge <= 0 {
		maxAge = defaultMaxAge
	}
	if now.Sub(m.at) > maxAge {
		return decision.Opt[float64]{}
	}
	return m.percent
}

// leastAvailable is the share of a full link that DWCP is said to get: the event
// cannot say 0, and one more stream always gets something.
const leastAvailable = 0.01

// AvailableMbps is the part of the capacity that was not in use, 1 % of it at
// least. Missing where Percent is.
func (m *UtilizationMeter) AvailableMbps(now time.Time) decision.Opt[float64] {
	percent := m.Percent(now)
	if !percent.Set {
		return percent
	}
	return decision.Some(m.CapacityMbps * max((100-percent.Value)/100, leastAvailable))
}
