package instrumentation

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/novacron/dwcp-telemetry/instrumentation/measure"
)

// ShadowBudget bounds what shadow runs may cost. A field that is 0 keeps its
// default.
type ShadowBudget struct {
	// CPUPercent is the share of the machine's CPU, above 0 to 100, in the long
	// run; 2.
	CPUPercent float64
	// BytesPerSecond is how much payload may be run, in the long run; 16 MiB.
	BytesPerSecond int64
	// MaxPayloadBytes is the largest payload that is run; 64 MiB. With one worker
	// five copies of that size may be held in memory: one running, four waiting.
	MaxPayloadBytes int64
}

func defaultShadowBudget() ShadowBudget {
	return ShadowBudget{CPUPercent: 2, BytesPerSecond: 16 << 20, MaxPayloadBytes: 64 << 20}
}

// over returns b with the fields that are 0 taken from the other.
func (b ShadowBudget) over(other ShadowBudget) ShadowBudget {
	if b.CPUPercent == 0 {
		b.CPUPercent = other.CPUPercent
	}
	if b.BytesPerSecond == 0 {
		b.BytesPerSecond = other.BytesPerSecond
	}
	if b.MaxPayloadBytes == 0 {
		b.MaxPayloadBytes = other.MaxPayloadBytes
	}
	return b
}

var (
	errPercent  = errors.New("must be above 0 and at most 100")
	errPositive = errors.New("must be a whole number of bytes, at least 1")
)

func checkPercent(percent float64) error {
	if !(percent > 0 && percent <= 100) { // NaN fails
		return fmt.Errorf("%w, got %v", errPercent, percent)
	}
	return nil
}

func (b ShadowBudget) problems() (problems []error) {
	if err := checkPercent(b.CPUPercent); err != nil {
		problems = append(problems, fmt.Errorf("WithShadowBudget: CPUPercent: %w", err))
	}
	if b.BytesPerSecond < 1 {
		problems = append(problems, fmt.Errorf("WithShadowBudget: BytesPerSecond: %w, got %d", errPositive, b.BytesPerSecond))
	}
	if b.MaxPayloadBytes < 1 {
		problems = append(problems, fmt.Errorf("WithShadowBudget: MaxPayloadBytes: %w, got %d", errPositive, b.MaxPayloadBytes))
	}
	return problems
}

// burst is how much of a budget may be saved up.
const burst = 10 * time.Second

// bucket is a budget that may be overdrawn: what is there or not decides, not
// how much is asked for, so that it thins payloads of all sizes alike; the debt
// is paid off before the next one is let in. In the long run the rate holds.
type bucket struct {
	perSecond float64
	balance   float64
	at        time.Time // of the balance; by the monotonic clock
}

func newBucket(perSecond float64, now time.Time) bucket {
	return bucket{perSecond: perSecond, balance: perSecond * burst.Seconds(), at: now}
}

func (b *bucket) open(now time.Time) bool {
	b.balance = math.Min(b.balance+b.perSecond*now.Sub(b.at).Seconds(), b.perSecond*burst.Seconds())
	b.at = now
	return b.balance > 0
}

func (b *bucket) charge(amount float64) { b.balance -= amount }

// cpuPerSecond is a share of the machine in CPU seconds per second.
func cpuPerSecond(percent float64) float64 { return percent / 100 * float64(measure.CPUs()) }
