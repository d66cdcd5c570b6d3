package validate

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"time"

	"github.com/novacron/dwcp-telemetry/decision"
)

// text writes lines and keeps the first error.
type text struct {
	w   io.Writer
	err error
}

func (t *text) line(format string, args ...any) {
	if t.err == nil {
		_, t.err = fmt.Fprintf(t.w, format+"\n", args...)
	}
}

// section lets another writer write in its place.
func (t *text) section(write func(io.Writer) error) {
	if t.err == nil {
		t.err = write(t.w)
	}
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func formatTime(t time.Time) string { return decision.TimeValue(t).String() }

func share(part, whole int64) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

func percent(share float64) string { return fmt.Sprintf("%.1f %%", 100*share) }

// decimal writes a number without an exponent and with no more digits than one
// wants to read.
func decimal(v float64) string {
	if math.Abs(v) >= 1000 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}
