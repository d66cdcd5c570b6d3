package dashboard

import (
	"context"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// counting is a poller whose readings are numbered; each waits until the test takes
// its number.
type counting struct {
	*poller
	readings chan string
}

func startPoller(t *testing.T, interval time.Duration) *counting {
	t.Helper()
	c := &counting{readings: make(chan string)}
	n := 0
	c.poller = newPoller(interval, func(ctx context.Context) *Snapshot {
		n++
		id := strconv.Itoa(n)
		select {
		case c.readings <- id:
		case <-ctx.Done():
		}
		return &Snapshot{ID: id, At: time.Now()}
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); c.run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	return c
}

func join(t *testing.T, p *poller) *viewer {
	t.Helper()
	v, err := p.join()
	require.NoError(t, err)
	return v
}

// idle requires that nothing is read for long, by the time of synctest's bubble.
func (c *counting) idle(t *testing.T) {
	t.Helper()
	select {
	case id := <-c.readings:
		t.Fatalf("reading %s", id)
	case <-time.After(100 * interval):
	}
}

const interval = 2 * time.Second

func TestNothingIsReadWhileNobodyLooks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := startPoller(t, interval)
		c.idle(t)
		v := join(t, c.poller)
		require.Equal(t, "1", <-c.readings)
		require.Equal(t, "1", (<-v.snapshots).ID)
		require.Equal(t, "2", <-c.readings)
		require.Equal(t, "2", (<-v.snapshots).ID)
		c.leave(v)
		c.idle(t)
		v = join(t, c.poller)
		require.Equal(t, "3", <-c.readings)
		require.Equal(t, "3", (<-v.snapshots).ID)
	})
}

func TestOneReadingServesAllWhoLook(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := startPoller(t, 1000*interval)
		var all []*viewer
		for range 10 {
			all = append(all, join(t, c.poller))
		}
		require.Equal(t, "1", <-c.readings)
		for _, v := range all {
			require.Equal(t, "1", (<-v.snapshots).ID)
		}
		require.Equal(t, "1", (<-join(t, c.poller).snapshots).ID, "who comes within the interval gets what there is")
		c.idle(t)
	})
}

func TestASlowViewerGetsTheNewestAndHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	c := startPoller(t, 1)
	slow, quick := join(t, c.poller), join(t, c.poller)
	for _, want := range []string{"1", "2", "3"} {
		require.Equal(t, want, <-c.readings)
		require.Equal(t, want, (<-quick.snapshots).ID)
	}
	require.Equal(t, "3", (<-slow.snapshots).ID)
	require.Empty(t, slow.snapshots)
}

func TestTooManyViewersAreToldSo(t *testing.T) {
	t.Parallel()
	p := newPoller(time.Hour, nil)
	var last *viewer
	for range maxViewers {
		last = join(t, p)
	}
	_, err := p.join()
	require.ErrorIs(t, err, errTooManyViewers)
	p.leave(last)
	join(t, p)
}

func TestCurrentReturnsWhatThereIsWhereReadingTakesTooLong(t *testing.T) {
	t.Parallel()
	c := startPoller(t, 1)
	s, err := c.current(t.Context(), time.Millisecond)
	require.NoError(t, err)
	require.Nil(t, s, "nothing has ever been read")
	require.Equal(t, "1", <-c.readings)
	require.Eventually(t, func() bool {
		s, err := c.current(t.Context(), time.Millisecond)
		return err == nil && s != nil && s.ID == "1"
	}, waitLimit, waitTick)
	require.False(t, c.watched(), "asking once is not looking")
}

// A ledger that takes 5 s to read is not read every 2 s.
func TestReadingRestsInProportionToWhatItTook(t *testing.T) {
	t.Parallel()
	require.Equal(t, 2*time.Second, rest(2*time.Second, 25*time.Millisecond))
	require.Equal(t, 10*time.Second, rest(2*time.Second, 500*time.Millisecond))
	require.Equal(t, longestRest, rest(2*time.Second, 10*time.Second))
	require.Equal(t, time.Minute, rest(time.Minute, 10*time.Second))
}
