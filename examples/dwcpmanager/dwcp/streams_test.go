package dwcp

import (
	"bytes"
	"context"
	"net"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/novacron/dwcp-telemetry/decision"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var quick = LinkSpec{CapacityMbps: 4000, RTT: time.Millisecond, WindowBytes: 256 << 10, Streams: 4}

// catcher is a receiver that keeps what arrives.
type catcher struct {
	*receiver
	mu  sync.Mutex
	got []arrived
}

func newCatcher(t *testing.T) *catcher {
	t.Helper()
	c := &catcher{}
	var err error
	c.receiver, err = listen(func(a arrived) verdict {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.got = append(c.got, a)
		return accepted
	})
	require.NoError(t, err)
	t.Cleanup(c.close)
	return c
}

func newTestStreams(t *testing.T, address string) *Streams {
	t.Helper()
	s := NewStreams(newTestLink(t, quick), address)
	t.Cleanup(s.Close)
	return s
}

func TestEveryByteArrivesWhateverTheSize(t *testing.T) {
	t.Parallel()
	c := newCatcher(t)
	s := newTestStreams(t, c.address())
	for _, size := range []int{1, pieceBytes, chunkBytes - 1, chunkBytes, chunkBytes + 1, 3*chunkBytes + 17, 2 << 20} {
		body := random(uint64(size), size)
		require.NoError(t, s.Send(t.Context(), transfer{vm: "vm-1", flags: flagHDE, body: body}))
		got := c.got[len(c.got)-1]
		require.Equal(t, arrived{vm: "vm-1", flags: flagHDE, body: body}, got)
	}
	require.Greater(t, s.link.Counter(time.Now()), uint64(2<<20))
}

func TestTransfersAtOnceDoNotMix(t *testing.T) {
	t.Parallel()
	c := newCatcher(t)
	s := newTestStreams(t, c.address())
	var sending sync.WaitGroup
	for i := range 8 {
		sending.Go(func() {
			if err := s.Send(t.Context(), transfer{vm: strconv.Itoa(i), body: random(uint64(i), 300_000+i)}); err != nil {
				t.Error(err)
			}
		})
	}
	sending.Wait()
	require.Len(t, c.got, 8)
	for _, a := range c.got {
		i, err := strconv.Atoi(a.vm)
		require.NoError(t, err)
		require.Equal(t, random(uint64(i), 300_000+i), a.body)
	}
}

// The writes are done in microseconds; what ends a transfer is the receiver.
func TestTheEndIsTheAcknowledgement(t *testing.T) {
	t.Parallel()
	c := newCatcher(t)
	c.ackDelay = 300 * time.Millisecond
	s := newTestStreams(t, c.address())
	begin := time.Now()
	require.NoError(t, s.Send(t.Context(), transfer{vm: "vm", body: []byte("a few bytes")}))
	require.GreaterOrEqual(t, time.Since(begin), c.ackDelay)
}

func TestARefusalIsAnError(t *testing.T) {
	t.Parallel()
	refusing, err := listen(func(arrived) verdict { return unreadable })
	require.NoError(t, err)
	t.Cleanup(refusing.close)
	s := newTestStreams(t, refusing.address())
	err = s.Send(t.Context(), transfer{vm: "vm", body: []byte("x")})
	var refused *RefusedError
	require.ErrorAs(t, err, &refused)
	require.EqualError(t, refused, "the receiver refused it: it cannot decode what arrived")
}

func TestDamagedBytesAreNotAcknowledged(t *testing.T) {
	t.Parallel()
	c := newCatcher(t)
	conn, err := net.Dial("tcp", c.address())
	require.NoError(t, err)
	defer conn.Close()
	out := newOutgoing(&transfer{vm: "vm", body: []byte("as it was")})
	header, _, _ := out.next()
	_, err = conn.Write(append(header, "as it wos"...))
	require.NoError(t, err)
	number, v, err := readAck(conn)
	require.NoError(t, err)
	require.Equal(t, out.number, number)
	require.Equal(t, wrongHash, v)
	require.Empty(t, c.got)
}

func TestNonsenseOnTheWireEndsTheStreamAndNothingElse(t *testing.T) {
	t.Parallel()
	c := newCatcher(t)
	outside := chunk{transfer: 1, total: 10, offset: 9, length: 2, vm: "vm"}
	for name, nonsense := range map[string][]byte{
		"not a chunk": bytes.Repeat([]byte{0xFF}, 400), "outside of its transfer": append(outside.append(nil), 1, 2),
	} {
		conn, err := net.Dial("tcp", c.address())
		require.NoError(t, err)
		_, err = conn.Write(nonsense)
		require.NoError(t, err)
		require.NoError(t, conn.SetReadDeadline(time.Now().Add(10*time.Second)))
		_, _, err = readAck(conn)
		require.Error(t, err, name)
		require.NotErrorIs(t, err, os.ErrDeadlineExceeded, name)
		_ = conn.Close()
	}
	require.NoError(t, newTestStreams(t, c.address()).Send(t.Context(), transfer{vm: "vm", body: []byte("x")}))
}

func TestReceiverThatDiesMidwayFailsTheTransfer(t *testing.T) {
	t.Parallel()
	c := newCatcher(t)
	link := newTestLink(t, LinkSpec{CapacityMbps: 8, RTT: time.Millisecond, WindowBytes: 64 << 10, Streams: 4}) // 1 MiB takes a second
	s := NewStreams(link, c.address())
	t.Cleanup(s.Close)
	require.NoError(t, s.Connect(t.Context()))
	body := random(1, 1<<20)
	died := time.AfterFunc(50*time.Millisecond, c.close)
	defer died.Stop()
	err := s.Send(t.Context(), transfer{vm: "vm", body: body})
	require.ErrorIs(t, err, errBroken)
	require.Empty(t, c.got)
	require.Error(t, s.Send(t.Context(), transfer{vm: "vm", body: []byte("x")}), "nobody is there any more")
}

func TestBrokenStreamsAreDialledAnew(t *testing.T) {
	t.Parallel()
	c := newCatcher(t)
	s := newTestStreams(t, c.address())
	require.NoError(t, s.Connect(t.Context()))
	c.mu.Lock()
	c.receiver.mu.Lock()
	for conn := range c.conns {
		_ = conn.Close()
	}
	c.receiver.mu.Unlock()
	c.mu.Unlock()
	require.Eventually(t, func() bool {
		return s.Send(t.Context(), transfer{vm: "vm", body: []byte("again")}) == nil
	}, time.Minute, time.Millisecond)
	require.Equal(t, []byte("again"), c.got[0].body)
}

func TestAnInterruptedTransferEndsAndTheNextOneWorks(t *testing.T) {
	t.Parallel()
	c := newCatcher(t)
	s := NewStreams(newTestLink(t, Specs[decision.Edge]), c.address())
	t.Cleanup(s.Close)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, s.Send(ctx, transfer{vm: "vm", body: random(1, 1<<20)}), context.DeadlineExceeded)
	require.NoError(t, s.Send(t.Context(), transfer{vm: "vm", body: []byte("the next")}))
	require.Len(t, c.got, 1)
	require.Empty(t, c.receiver.transfers, "of the interrupted one nothing is kept")
}
