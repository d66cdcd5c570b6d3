package measure

import (
	"math"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/novacron/dwcp-telemetry/decision"
)

func TestTCPInfoIsInMicroseconds(t *testing.T) {
	t.Parallel()
	got := rttOf(&unix.TCPInfo{Rtt: 40_250, Rttvar: 1500, Min_rtt: 39_000})
	assert.Equal(t, RTT{SmoothedMillis: 40.25, VarianceMillis: 1.5, MinMillis: decision.Some(39.0)}, got)
	assert.Equal(t, 39.0, got.Path())

	for name, none := range map[string]uint32{"an old kernel": 0, "nothing measured yet": math.MaxUint32} {
		got = rttOf(&unix.TCPInfo{Rtt: 40_250, Min_rtt: none})
		assert.False(t, got.MinMillis.Set, name)
		assert.Equal(t, 40.25, got.Path(), name)
	}
}

func TestRTTOfLoopbackIsShort(t *testing.T) {
	t.Parallel()
	for name, conn := range tcpConns(t) {
		got, err := TCPRTT(conn)
		require.NoError(t, err, name)
		assert.Greater(t, got.SmoothedMillis, 0.0, name)
		assert.Less(t, got.SmoothedMillis, 1000.0, name) // a busy machine, but no network
		require.True(t, got.MinMillis.Set, name)
		assert.Greater(t, got.Path(), 0.0, name)
	}
}

// A receiver that holds its acknowledgements back, as the kernel does for 40 ms at
// least when told to, is a known delay without a network. Each one moves the
// smoothed RTT by an eighth, and leaves the smallest where it was.
func TestSmoothedRTTHoldsTheDelayAndTheSmallestDoesNot(t *testing.T) {
	t.Parallel()
	sender, receiver := bothEnds(t, "tcp", "127.0.0.1:0")
	raw, err := receiver.(*net.TCPConn).SyscallConn()
	require.NoError(t, err)
	before, err := TCPRTT(sender)
	require.NoError(t, err)
	var got RTT
	for range 30 {
		require.NoError(t, raw.Control(func(fd uintptr) {
			assert.NoError(t, unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_QUICKACK, 0))
		}))
		_, err := sender.Write([]byte{1})
		require.NoError(t, err)
		time.Sleep(60 * time.Millisecond)
		if got, err = TCPRTT(sender); err != nil || got.SmoothedMillis > before.SmoothedMillis+10 {
			break
		}
	}
	require.NoError(t, err)
	assert.Greater(t, got.SmoothedMillis, before.SmoothedMillis+10)
	assert.Less(t, got.SmoothedMillis, 500.0)
	assert.Greater(t, got.VarianceMillis, 1.0)
	assert.Less(t, got.Path(), got.SmoothedMillis-5)
}
