package trainingset

import (
	"fmt"
	"io"
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
