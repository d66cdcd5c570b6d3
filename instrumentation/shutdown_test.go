package instrumentation

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.uber.org/goleak"

	"github.com/novacron/dwcp-telemetry/instrumentation/measure"
)

func TestMain(m *testing.M) {
	if os.Getenv(discardEnv) != "" {
		serveDiscarding()
		return
	}
	measure.Resolution() // looks at real clocks, which a test with a clock of its own has not
	goleak.VerifyTestMain(m)
}

// deadAddress is where nobody listens.
func deadAddress(tb testing.TB) string {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(tb, err)
	defer func() { require.NoError(tb, listener.Close()) }()
	return listener.Addr().String()
}

func TestShutdownDeliversAllThereIs(t *testing.T) {
	t.Parallel()
	c := startCollector(t, nil)
	r := startRecorder(t, c.address)
	recordSome(r, 3000)
	require.NoError(t, r.Shutdown(within(t)))
	require.Len(t, c.decisions(t), 3000)
	require.Equal(t, Stats{Recorded: 3000, Sent: 3000}, r.Stats())

	recordSome(r, 1) // too late, and harmless
	require.NoError(t, r.ForceFlush(within(t)))
	require.NoError(t, r.Shutdown(within(t)))
	require.Equal(t, Stats{Recorded: 3000, Sent: 3000}, r.Stats())
}

func TestShutdownWithADeadCollectorKeepsItsDeadline(t *testing.T) {
	t.Parallel()
	r := startRecorder(t, deadAddress(t), WithRingCapacity(4000))
	recordSome(r, 3000)
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	started := time.Now()
	err := r.Shutdown(ctx)
	require.Less(t, time.Since(started), 10*time.Second, "not the 10 s of an attempt")
	var left *UndeliveredError
	require.ErrorAs(t, err, &left)
	require.EqualValues(t, 3000, left.Decisions)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.EqualError(t, err, "shut down the recorder: 3000 decisions not delivered: context deadline exceeded")

	<-r.done
	err = r.Shutdown(within(t))
	require.EqualError(t, err, "shut down the recorder: 3000 decisions not delivered: the recorder has been shut down")
	require.ErrorIs(t, r.ForceFlush(within(t)), errStopped)
	require.Equal(t, Stats{Recorded: 3000, Pending: 3000}, r.Stats())
}

func TestShutdownDoesNotWaitForACollectorThatHangs(t *testing.T) {
	t.Parallel()
	arrived, hang := make(chan struct{}), make(chan struct{})
	c := startCollector(t, func(int, int) (plogotlp.ExportResponse, error) {
		close(arrived)
		<-hang
		return plogotlp.NewExportResponse(), nil
	})
	defer close(hang)
	r := startRecorder(t, c.address)
	recordSome(r, maxBatch)
	<-arrived
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errors.New("out of patience"))
	require.EqualError(t, r.Shutdown(ctx), "shut down the recorder: 512 decisions not delivered: out of patience")
}

func TestCollectorThatComesLateGetsEverything(t *testing.T) {
	t.Parallel()
	address := deadAddress(t)
	told := &troubles{}
	r := startRecorder(t, address, WithErrorHandler(told))
	recordSome(r, 600)
	ended, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	require.ErrorIs(t, r.ForceFlush(ended), context.DeadlineExceeded)
	require.Eventually(t, func() bool { return strings.Contains(told.text(), "trying again: Unavailable") }, time.Minute, time.Millisecond)

	c := startCollectorAt(t, address, nil)
	require.NoError(t, r.Shutdown(within(t)))
	require.Len(t, c.decisions(t), 600)
}

// A meter provider keeps the Recorder for ever, for its counts.
func TestNoMemoryIsKeptAfterShutdown(t *testing.T) {
	t.Parallel()
	c := startCollector(t, nil)
	for _, address := range []string{c.address, deadAddress(t)} {
		r := startRecorder(t, address)
		for range 10 {
			r.Begin(context.Background(), bare("finished")).Finish(Result{})
			r.Begin(context.Background(), bare("open"))
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = r.Shutdown(ctx)
		<-r.done
		require.Nil(t, r.ring.slots.Load())
		require.Nil(t, r.open.first)
		require.Nil(t, r.open.free)
		s := r.Stats()
		require.EqualValues(t, 20, s.Sent+s.Pending+s.Open)
	}
}

func TestFullRingWithADeadCollectorOnlyCounts(t *testing.T) {
	t.Parallel()
	r := startRecorder(t, deadAddress(t), WithRingCapacity(100))
	recordSome(r, 100)
	for r.Stats().Dropped == 0 { // the worker may still make room, four requests' worth
		recordSome(r, 100)
	}
	s := r.Stats()
	require.Equal(t, s.Recorded, s.Pending)
	require.LessOrEqual(t, s.Pending, uint64(100+maxInFlight*100))
}
