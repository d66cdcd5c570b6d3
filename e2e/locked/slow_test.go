package locked

import (
	"crypto/tls"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
)

// The limits of time, made short.
const impatient = `receivers:
  otlp:
    protocols:
      grpc: {keepalive: {server_parameters: {max_connection_age: 1s, max_connection_age_grace: 4s}}}
      http: {read_header_timeout: 1s, read_timeout: 2s}
extensions:
  ingress: {handshake_timeout: 1s}
`

// openAll opens connections to the gRPC port, handshakes with each, and returns
// how many stay open.
func (h *hostile) openAll(t *testing.T, n int) (open int) {
	t.Helper()
	for range n {
		raw, err := h.dial(h.site.GRPC)
		require.NoError(t, err)
		t.Cleanup(func() { _ = raw.Close() })
		config := h.tls.Clone()
		config.NextProtos = []string{"h2"}
		conn := tls.Client(raw, config)
		if _, err := io.WriteString(conn, preface); err != nil {
			continue
		}
		if _, err := io.ReadFull(conn, make([]byte, 9)); err == nil { // the server's settings
			open++
		}
	}
	return open
}

// preface is HTTP/2's, with settings that say nothing.
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"

// dripping yields a byte now and then, as long as it is asked.
type dripping struct{ first []byte }

func (d *dripping) Read(p []byte) (int, error) {
	if len(d.first) > 0 {
		n := copy(p, d.first)
		d.first = d.first[n:]
		return n, nil
	}
	time.Sleep(50 * time.Millisecond) // it is what makes a slow sender
	p[0] = 'x'
	return 1, nil
}

// drip writes to a connection until the other side has had enough.
func drip(conn net.Conn, first string) {
	_, _ = io.Copy(conn, &dripping{first: []byte(first)})
}

// requireClosed waits until the other side ends a connection.
func requireClosed(t *testing.T, conn net.Conn) {
	t.Helper()
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(waitLimit)))
	_, err := io.Copy(io.Discard, conn)
	var timeout net.Error
	require.False(t, err != nil && isTimeout(err, &timeout), "it is still open: %v", err)
}

func isTimeout(err error, target *net.Error) bool {
	e, ok := err.(net.Error) //nolint:errorlint // as net returns it
	if ok {
		*target = e
	}
	return ok && e.Timeout()
}

func TestSlowSendersAreCutOffAndOthersGetThrough(t *testing.T) {
	s := newSite(t, impatient, tlsOverlay).start(t)
	h := s.hostile(t, "127.0.0.4")
	var conns []net.Conn
	connect := func(address string, secure bool) net.Conn {
		conn, err := h.dial(address)
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		if secure {
			config := h.tls.Clone()
			config.NextProtos = []string{"http/1.1"}
			conn = tls.Client(conn, config)
		}
		conns = append(conns, conn)
		return conn
	}
	for range 20 {
		connect(s.GRPC, false) // says nothing
		connect(s.HTTP, false)
		go drip(connect(s.GRPC, false), "\x16\x03\x01\x02\x00") // a TLS handshake, a byte at a time
		go drip(connect(s.HTTP, false), "\x16\x03\x01\x02\x00")
		go drip(connect(s.HTTP, true), "POST /v1/logs HTTP/1.1\r\nHost: collector\r\nX-Slow: ")
		go drip(connect(s.HTTP, true), "POST /v1/logs HTTP/1.1\r\nHost: collector\r\nContent-Type: application/x-protobuf\r\nContent-Length: 4000000\r\n\r\n")
	}
	s.requireTheRightOne(t, s.good(t), nil)
	for _, conn := range conns {
		requireClosed(t, conn)
	}
}

// Each holds nearly a whole message of 4 MiB in the collector's memory, and sends
// a byte of the rest now and then.
func TestSlowRequestsHoldTheirClientsPlacesAlone(t *testing.T) {
	s := newSite(t, impatient, tlsOverlay).start(t)
	h := s.hostile(t, "127.0.0.5")
	most := s.watch(t)
	const places, clients = 16, 80
	held := make([]byte, 4<<20-1000)
	var cut, refused atomic.Int64
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			code, said, err := h.export(t.Context(), h.client(), "", 4<<20, &dripping{first: held})
			switch {
			case err != nil:
				cut.Add(1) // with its connection, when that is too old
			case codes.Code(code) == codes.ResourceExhausted && said == tooMany:
				refused.Add(1)
			default:
				t.Errorf("code %d: %s", code, said)
			}
		})
	}
	require.Eventually(t, func() bool {
		return refused.Load() > 0 && s.metric(t, "otelcol_ingress_requests", "") == places
	}, waitLimit, waitTick)
	s.requireTheRightOne(t, s.good(t), nil)
	all.Wait()
	require.GreaterOrEqual(t, cut.Load(), int64(places))
	require.Eventually(t, func() bool { return s.metric(t, "otelcol_ingress_requests", "") == 0 }, waitLimit, waitTick)
	peak := most()
	t.Logf("the collector had at most %d MiB", peak)
	require.Less(t, peak, memoryBound)
}
