package replay_test

import (
	"context"
	"fmt"
	"iter"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/instrumentation"
	"github.com/novacron/dwcp-telemetry/internal/replay"
)

func TestADisabledRecorderIsAnError(t *testing.T) {
	startServer(t, nil)
	_, err := replay.Send(t.Context(), newRecorder(t, instrumentation.WithEnabled(false)), made(1), replay.Options{Now: now})
	require.EqualError(t, err, "the Recorder is disabled (DWCP_TELEMETRY_ENABLED or OTEL_SDK_DISABLED)")
	_, err = replay.Send(t.Context(), nil, made(1), replay.Options{Now: now})
	require.Error(t, err)
}

func TestASmallRingLosesNothing(t *testing.T) {
	s, r := send(t, made(500), replay.Options{KeepTimes: true, MaxPending: 8}, instrumentation.WithRingCapacity(16))
	require.Zero(t, r.Stats().Dropped)
	require.Len(t, s.inOrder(), 500)
}

// A collector that does not answer stops the replay before the ring overflows.
// While the replay stands still it is let go on.
func TestACollectorThatDoesNotAnswerLosesNothing(t *testing.T) {
	hold := make(chan struct{})
	s := startServer(t, hold)
	r := newRecorder(t)
	const all = 12000
	done := make(chan error, 1)
	go func() {
		_, err := replay.Send(t.Context(), r, made(all), replay.Options{KeepTimes: true})
		done <- err
	}()
	last := uint64(0)
	require.Eventually(t, func() bool {
		before := last
		last = r.Stats().Recorded
		return last > 0 && last == before
	}, time.Minute, 50*time.Millisecond)
	require.Less(t, last, uint64(8192))
	close(hold)
	require.NoError(t, <-done)
	shutdown(t, r)
	require.Equal(t, instrumentation.Stats{Recorded: all, Sent: all}, r.Stats())
	require.Len(t, s.inOrder(), all)
}

func TestTheEndOfTheContextEndsAReplayThatWaits(t *testing.T) {
	startServer(t, make(chan struct{}))
	r := newRecorder(t)
	ctx, cancel := context.WithCancel(t.Context())
	n, err := replay.Send(ctx, r, func() iter.Seq2[decision.Decision, error] {
		return func(yield func(decision.Decision, error) bool) {
			for i := range 100 {
				if i == 10 {
					cancel()
				}
				if !yield(numbered(i), nil) {
					return
				}
			}
		}
	}, replay.Options{KeepTimes: true, MaxPending: 10})
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, 10, n)
}

func TestProgressCountsUpToTheTotal(t *testing.T) {
	for name, test := range map[string]struct {
		options replay.Options
		total   int
	}{
		"moved":                         {replay.Options{Now: now, Decisions: 600}, 600},
		"kept, so a total is not known": {replay.Options{KeepTimes: true}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var told []string
			test.options.Progress = func(done, total int) { told = append(told, fmt.Sprintf("%d of %d", done, total)) }
			send(t, made(600), test.options)
			require.Equal(t, []string{fmt.Sprintf("256 of %d", test.total), fmt.Sprintf("512 of %d", test.total)}, told)
		})
	}
}
