package locked

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"

	"github.com/novacron/dwcp-telemetry/internal/certtest"
)

// The limits of time, made short.
const impatient = `receivers:
  otlp:
    protocols:
      grpc: {keepalive: {server_parameters: {max_connection_age: 1s, max_connection_age_grace: 1s}}}
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
	require.False(t, errors.As(err, &timeout) && timeout.Timeout(), "it is still open: %v", err)
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
	other := s.hostile(t, "127.0.0.6") // of the first one's places all may be taken
	var requests sync.WaitGroup
	for range 4 { // they end with their connections, when these are too old
		requests.Go(func() {
			code, said, err := other.export(t.Context(), other.client(), "", 4<<20, &dripping{})
			if err == nil {
				t.Errorf("a request that never ends was answered: code %d: %s", code, said)
			}
		})
	}
	s.getThrough(t)
	for _, conn := range conns {
		requireClosed(t, conn)
	}
	requests.Wait()
}

// getThrough sends as the right client, by both protocols, until it is taken:
// limits that are made short may cut it off as well where the machine is slow.
func (s *site) getThrough(t *testing.T) {
	t.Helper()
	good := s.clients.Issue(t, "dwcp", certtest.Valid())
	r, _ := s.recorder(t, s.identity(t, "good", good))
	record(t, r, 3)
	flush(t, r)
	content := request(t, 4)
	require.Eventually(t, func() bool {
		status, _ := s.post(t, "https", s.trusting(good.TLS(t)), nil, content)
		return status == http.StatusOK
	}, waitLimit, waitTick)
	s.requireStored(t, 7)
}

// Each holds nearly a whole message of 4 MiB in the collector's memory, and sends
// a byte of the rest now and then.
func TestSlowRequestsHoldTheirClientsPlacesAlone(t *testing.T) {
	s := newSite(t, "", tlsOverlay).start(t)
	h := s.hostile(t, "127.0.0.5")
	most := s.watch(t)
	const places, clients = 16, 80
	held := make([]byte, 4<<20-1000)
	ctx, giveUp := context.WithCancel(t.Context())
	defer giveUp()
	var refused atomic.Int64
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			code, said, err := h.export(ctx, h.client(), "", 4<<20, &dripping{first: held})
			switch {
			case err != nil: // it gave up
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
	giveUp()
	all.Wait()
	require.Eventually(t, func() bool { return s.metric(t, "otelcol_ingress_requests", "") == 0 }, waitLimit, waitTick)
	peak := most()
	t.Logf("the collector had at most %d MiB", peak)
	require.Less(t, peak, memoryBound)
}
