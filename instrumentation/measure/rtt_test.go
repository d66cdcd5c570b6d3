package measure

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// wrapped is a connection within another, as a metering one would be.
type wrapped struct{ net.Conn }

func (w wrapped) NetConn() net.Conn { return w.Conn }

// selfWrapped never ends.
type selfWrapped struct{ net.Conn }

func (s selfWrapped) NetConn() net.Conn { return s }

// hidden has a connection, but does not say so.
type hidden struct{ net.Conn }

// oneEnd is one end of a connection over the network.
func oneEnd(t *testing.T, network, address string) net.Conn {
	t.Helper()
	conn, _ := bothEnds(t, network, address)
	return conn
}

func bothEnds(t *testing.T, network, address string) (dialled, accepted net.Conn) {
	t.Helper()
	listener, err := net.Listen(network, address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	conn, err := net.Dial(network, listener.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	other, err := listener.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { _ = other.Close() })
	return conn, other
}

// tcpConns are live connections of every kind that holds TCP.
func tcpConns(t *testing.T) map[string]net.Conn {
	t.Helper()
	server := httptest.NewTLSServer(nil)
	t.Cleanup(server.Close)
	secure, err := tls.Dial("tcp", server.Listener.Addr().String(), server.Client().Transport.(*http.Transport).TLSClientConfig)
	require.NoError(t, err)
	t.Cleanup(func() { _ = secure.Close() })
	tcp := oneEnd(t, "tcp", "127.0.0.1:0")
	return map[string]net.Conn{"tcp": tcp, "tls": secure, "wrapped": wrapped{tcp}, "wrapped twice": wrapped{wrapped{tcp}}}
}

func TestWhatIsNoTCPHasNoRTT(t *testing.T) {
	t.Parallel()
	packets, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = packets.Close() })
	udp, err := net.Dial("udp", packets.LocalAddr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = udp.Close() })
	inMemory, otherEnd := net.Pipe()
	t.Cleanup(func() { _, _ = inMemory.Close(), otherEnd.Close() })

	for name, conn := range map[string]net.Conn{
		"udp":                   udp,
		"unix":                  oneEnd(t, "unix", filepath.Join(t.TempDir(), "s")),
		"in memory":             inMemory,
		"none":                  nil,
		"none of a type":        (*net.TCPConn)(nil),
		"no TLS":                (*tls.Conn)(nil),
		"wrapped none":          wrapped{nil},
		"wrapped in itself":     selfWrapped{inMemory},
		"hidden in another one": hidden{oneEnd(t, "tcp", "127.0.0.1:0")},
	} {
		got, err := TCPRTT(conn)
		assert.ErrorIs(t, err, ErrNotAvailable, name)
		assert.EqualError(t, err, "RTT of a connection: not available", name)
		assert.Equal(t, RTT{}, got, name)
	}
	_, err = RawTCPRTT(nil)
	assert.ErrorIs(t, err, ErrNotAvailable)
}

func TestRTTOfAClosedConnectionIsAnError(t *testing.T) {
	t.Parallel()
	conn := oneEnd(t, "tcp", "127.0.0.1:0")
	require.NoError(t, conn.Close())
	_, err := TCPRTT(conn)
	assert.Error(t, err)
}

func BenchmarkTCPRTT(b *testing.B) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	defer listener.Close()
	conn, err := net.Dial("tcp", listener.Addr().String())
	require.NoError(b, err)
	defer conn.Close()
	b.ReportAllocs()
	for b.Loop() {
		_, _ = TCPRTT(conn)
	}
}
