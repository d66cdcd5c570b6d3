// Package progress shows a person how long steps go: a bar or a spinner on a
// terminal, plain lines elsewhere.
package progress

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// Reporter shows steps, one after the other.
type Reporter struct {
	out      io.Writer
	terminal bool
}

// New returns a Reporter that writes to out.
func New(out io.Writer) *Reporter {
	file, ok := out.(*os.File)
	return &Reporter{out: out, terminal: ok && term.IsTerminal(int(file.Fd()))}
}

// Step is one step that takes a while.
type Step struct {
	reporter *Reporter
	text     string
	begin    time.Time
	mu       sync.Mutex
	bar      *progressbar.ProgressBar
	ticking  chan struct{}
}

// Start begins a step.
func (r *Reporter) Start(text string) *Step {
	s := &Step{reporter: r, text: text, begin: time.Now(), ticking: make(chan struct{})}
	if !r.terminal {
		fmt.Fprintf(r.out, "… %s\n", text)
		return s
	}
	s.bar = progressbar.NewOptions(-1,
		progressbar.OptionSetWriter(r.out), progressbar.OptionSetDescription(text),
		progressbar.OptionSpinnerType(14), progressbar.OptionClearOnFinish(), progressbar.OptionSetElapsedTime(true))
	go s.tick()
	return s
}

// tick keeps the spinner turning while nothing is counted.
func (s *Step) tick() {
	for {
		select {
		case <-s.ticking:
			return
		case <-time.After(100 * time.Millisecond):
			s.mu.Lock()
			_ = s.bar.Add(0)
			s.mu.Unlock()
		}
	}
}

// Count shows how far the step is; total may be 0 where it is not known.
func (s *Step) Count(done, total int) {
	if s.bar == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if total > 0 && s.bar.GetMax() != total {
		s.bar.ChangeMax(total)
	}
	_ = s.bar.Set(done)
}

// Done ends the step; detail says what came of it.
func (s *Step) Done(detail string) { s.end("✓", detail) }

// Fail ends a step that went wrong; the error itself is for the caller to tell.
func (s *Step) Fail() { s.end("✗", s.text) }

func (s *Step) end(mark, detail string) {
	if s.bar != nil {
		close(s.ticking)
		s.mu.Lock()
		_ = s.bar.Finish()
		_ = s.bar.Clear()
		s.mu.Unlock()
	}
	fmt.Fprintf(s.reporter.out, "%s %s (%.1f s)\n", mark, detail, time.Since(s.begin).Seconds())
}
