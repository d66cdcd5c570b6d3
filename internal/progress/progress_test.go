package progress

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// took is what differs from run to run.
var took = regexp.MustCompile(`\(\d+\.\d s\)`)

func TestOtherThanATerminalGetsPlainLines(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	reporter := New(&out)
	step := reporter.Start("building the collector")
	fmt.Fprintln(reporter, "a note from within")
	step.Done("built it")
	step = reporter.Start("sending decisions")
	step.Count(10, 100)
	step.Count(100, 100)
	step.Done("100 decisions sent")
	reporter.Start("validating them").Fail()
	plain := took.ReplaceAll(out.Bytes(), []byte("(0.0 s)"))
	golden := "testdata/plain.txt"
	if *update {
		require.NoError(t, os.WriteFile(golden, plain, 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), string(plain))
}

func TestAFileIsNoTerminal(t *testing.T) {
	t.Parallel()
	file, err := os.CreateTemp(t.TempDir(), "out")
	require.NoError(t, err)
	defer file.Close()
	require.False(t, New(file).terminal)
	New(file).Start("a step").Done("done")
	content, err := os.ReadFile(file.Name())
	require.NoError(t, err)
	require.NotContains(t, string(content), "\r")
}

// screen is a terminal's last lines: what a person sees in the end.
type screen struct {
	mu      sync.Mutex
	written bytes.Buffer
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.written.Write(p)
}

// raw is all that was written.
func (s *screen) raw() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.written.String()
}

// lines is what stands on the screen: a carriage return goes back to the start
// of the line, and what comes then stands over what was there.
func (s *screen) lines() (shown []string) {
	for line := range strings.SplitSeq(s.raw(), "\n") {
		var cells []rune
		at := 0
		for _, r := range line {
			switch {
			case r == '\r':
				at = 0
				continue
			case at == len(cells):
				cells = append(cells, r)
			default:
				cells[at] = r
			}
			at++
		}
		shown = append(shown, took.ReplaceAllString(strings.TrimRight(string(cells), " "), "(0.0 s)"))
	}
	return shown
}

func onTerminal() (*Reporter, *screen) {
	s := &screen{}
	return &Reporter{out: s, terminal: true}, s
}

func TestAStepIsShownAtOnceAndItsSpinnerTurns(t *testing.T) {
	t.Parallel()
	reporter, s := onTerminal()
	step := reporter.Start("building the collector")
	require.Contains(t, s.raw(), "building the collector")
	require.Eventually(t, func() bool { return strings.Count(s.raw(), "building the collector") > 2 }, time.Minute, 10*time.Millisecond)
	step.Done("built it")
	require.Equal(t, []string{"✓ built it (0.0 s)", ""}, s.lines())
}

func TestAFailedStepLeavesItsTextOnATerminal(t *testing.T) {
	t.Parallel()
	reporter, s := onTerminal()
	reporter.Start("sending").Fail()
	require.Equal(t, []string{"✗ sending (0.0 s)", ""}, s.lines())
}

func TestCountsMoveABarOnATerminal(t *testing.T) {
	t.Parallel()
	reporter, s := onTerminal()
	step := reporter.Start("sending")
	step.Count(10, 0)
	require.NotContains(t, s.raw(), "%")
	step.Count(25, 100)
	require.Contains(t, s.raw(), "25%")
	step.Count(100, 100)
	step.Done("100 sent")
	require.Equal(t, []string{"✓ 100 sent (0.0 s)", ""}, s.lines())
}

func TestLinesFromWithinAStepStandAboveIt(t *testing.T) {
	t.Parallel()
	reporter, s := onTerminal()
	step := reporter.Start("starting PostgreSQL, which takes a while")
	fmt.Fprintln(reporter, "fetching it")
	fmt.Fprintln(reporter, "unpacking it")
	step.Done("it runs")
	require.Equal(t, []string{"fetching it", "unpacking it", "✓ it runs (0.0 s)", ""}, s.lines())
}

func TestNothingTurnsBehindTheLastLine(t *testing.T) {
	t.Parallel()
	reporter, s := onTerminal()
	for range 50 {
		step := reporter.Start("a step of which only the end stays")
		step.ticker.Go(func() {
			for range 20 {
				step.Count(1, 3)
			}
		})
		step.Done("done")
	}
	for _, line := range s.lines()[:50] {
		require.Equal(t, "✓ done (0.0 s)", line)
	}
	require.True(t, strings.HasSuffix(s.raw(), "\n"))
}

func TestTroubleWithTheTerminalIsTold(t *testing.T) {
	t.Parallel()
	_, err := New(broken{}).Write([]byte("a line\n"))
	require.EqualError(t, err, "the terminal is gone")
	New(broken{}).Start("a step").Done("done") // and no step fails for it
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("the terminal is gone") }
