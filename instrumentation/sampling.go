package instrumentation

import (
	"errors"
	"fmt"
	"math"
	"sync/atomic"

	"github.com/cespare/xxhash/v2"
)

// sampler decides by the request id alone, so that all hosts take the same
// requests. A request taken at one ratio is taken at every higher one.
type sampler struct {
	ratio atomic.Uint64 // bits of the float64
}

func (s *sampler) set(ratio float64) { s.ratio.Store(math.Float64bits(ratio)) }

func (s *sampler) get() float64 { return math.Float64frombits(s.ratio.Load()) }

// take also returns the ratio that the verdict was made with: it may change
// while running, and the event must say what held for itself.
func (s *sampler) take(requestID string) (ratio float64, taken bool) {
	ratio = s.get()
	return ratio, ratio >= 1 || position(requestID) < ratio
}

// position places a request id in [0, 1): the upper 53 bits of its XXH64 (seed
// 0), as many as a float64 holds exactly. Other programs, and SQL, can compute
// the same.
func position(requestID string) float64 {
	return float64(xxhash.Sum64String(requestID)>>11) * (1.0 / (1 << 53))
}

// shadowPosition places a request id in [0, 1) independently of position: the
// same hash, mixed once more by SplitMix64's finaliser.
func shadowPosition(requestID string) float64 {
	h := xxhash.Sum64String(requestID)
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return float64((h^h>>31)>>11) * (1.0 / (1 << 53))
}

var errRatio = errors.New("must be 0..1")

func checkRatio(ratio float64) error {
	// Written so that NaN fails.
	if !(ratio >= 0 && ratio <= 1) {
		return fmt.Errorf("%w, got %v", errRatio, ratio)
	}
	return nil
}
