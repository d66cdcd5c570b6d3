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

// Reporter shows steps, one after the other. It is a writer, too: lines that
// come while a step is under way are for the Reporter to put above it.
type Reporter struct {
	out      io.Writer
	terminal bool

	mu  sync.Mutex               // for all that is written
	bar *progressbar.ProgressBar // of the step under way, on a terminal
}

// New returns a Reporter that writes to out.
func New(out io.Writer) *Reporter {
	file, ok := out.(*os.File)
	return &Reporter{out: out, terminal: ok && term.IsTerminal(int(file.Fd()))}
}

// Write writes whole lines.
func (r *Reporter) Write(lines []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.bar != nil {
		_ = r.bar.Clear()
	}
	return r.out.Write(lines)
}

// Step is one step that takes a while.
type Step struct {
	reporter *Reporter
	text     string
	begin    time.Time
	ended    chan struct{}
	ticker   sync.WaitGroup
}

// Start begins a step.
func (r *Reporter) Start(text string) *Step {
	s := &Step{reporter: r, text: text, begin: time.Now(), ended: make(chan struct{})}
	if !r.terminal {
		fmt.Fprintf(r, "… %s\n", text)
		return s
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bar = progressbar.NewOptions(-1,
		progressbar.OptionSetWriter(r.out), progressbar.OptionSetDescription(text),
		progressbar.OptionSpinnerType(14), progressbar.OptionClearOnFinish(), progressbar.OptionSetElapsedTime(true),
		progressbar.OptionSetSpinnerChangeInterval(0)) // tick turns it: the bar's own clock races with Clear
	_ = r.bar.RenderBlank()
	s.ticker.Go(s.tick)
	return s
}

// tick keeps the spinner turning while nothing is counted.
func (s *Step) tick() {
	for {
		select {
		case <-s.ended:
			return
		case <-time.After(100 * time.Millisecond):
			s.reporter.show(func(bar *progressbar.ProgressBar) { _ = bar.RenderBlank() })
		}
	}
}

// show changes the bar, where there is one.
func (r *Reporter) show(change func(*progressbar.ProgressBar)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.bar != nil {
		change(r.bar)
	}
}

// Count shows how far the step is; total may be 0 where it is not known.
func (s *Step) Count(done, total int) {
	s.reporter.show(func(bar *progressbar.ProgressBar) {
		if total > 0 && bar.GetMax() != total {
			bar.ChangeMax(total)
		}
		_ = bar.Set(done)
	})
}

// Done ends the step; detail says what came of it.
func (s *Step) Done(detail string) { s.end("✓", detail) }

// Fail ends a step that went wrong; the error itself is for the caller to tell.
func (s *Step) Fail() { s.end("✗", s.text) }

func (s *Step) end(mark, detail string) {
	close(s.ended)
	s.ticker.Wait() // a spinner that turned once more would stand behind the line
	r := s.reporter
	r.show(func(bar *progressbar.ProgressBar) {
		_ = bar.Finish()
		_ = bar.Clear()
		r.bar = nil
	})
	fmt.Fprintf(r, "%s %s (%.1f s)\n", mark, detail, time.Since(s.begin).Seconds())
}
