package locked

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/certtest"
)

// hostile is a client that is let in, from an address of its own, and does not
// behave.
type hostile struct {
	site *site
	from string
	tls  *tls.Config
}

func (s *site) hostile(t *testing.T, from string) *hostile {
	t.Helper()
	config := s.trusting(s.clients.Issue(t, "hostile", certtest.Valid()).TLS(t))
	config.ServerName = loopback
	h := &hostile{site: s, from: from, tls: config}
	conn, err := h.dial(s.GRPC)
	if err != nil {
		t.Skipf("no client can come from %s here: %v", from, err) // Linux has all of 127/8
	}
	require.NoError(t, conn.Close())
	return h
}

// dial opens a connection and sends nothing.
func (h *hostile) dial(address string) (net.Conn, error) {
	return (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(h.from)}, Timeout: waitLimit}).Dial("tcp", address)
}

// client speaks HTTP/2 to both ports, with a connection of its own.
func (h *hostile) client() *http.Client {
	return &http.Client{Transport: &http.Transport{
		ForceAttemptHTTP2: true, TLSClientConfig: h.tls,
		DialContext: func(_ context.Context, _, address string) (net.Conn, error) { return h.dial(address) },
	}}
}

// export makes a gRPC request by hand: a message that is compressed already, of
// a length that need not be true. It returns gRPC's status and message.
func (h *hostile) export(ctx context.Context, client *http.Client, encoding string, length int, message io.Reader) (code int, said string, err error) {
	prefix := binary.BigEndian.AppendUint32([]byte{0}, uint32(length))
	if encoding != "" {
		prefix[0] = 1
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+h.site.GRPC+"/opentelemetry.proto.collector.logs.v1.LogsService/Export",
		io.MultiReader(bytes.NewReader(prefix), message))
	if err != nil {
		return 0, "", err
	}
	r.Header = http.Header{"Content-Type": {"application/grpc"}, "Te": {"trailers"}, "Grpc-Encoding": {encoding}}
	if encoding == "" {
		r.Header.Del("Grpc-Encoding")
	}
	response, err := client.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = response.Body.Close() }()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return 0, "", err
	}
	for _, header := range []http.Header{response.Header, response.Trailer} {
		if status := header.Get("Grpc-Status"); status != "" {
			code, err = strconv.Atoi(status)
			return code, header.Get("Grpc-Message"), err
		}
	}
	return 0, "", fmt.Errorf("no gRPC status, HTTP says %s", response.Status)
}

// watch samples how much memory of its own the collector has; the returned
// function ends it and says what the most was.
func (s *site) watch(t *testing.T) (most func() (mib int)) {
	t.Helper()
	var peak atomic.Int64
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			if now := s.memory(); now > peak.Load() {
				peak.Store(now)
			}
			select {
			case <-stop:
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
	}()
	return func() int {
		close(stop)
		<-done
		require.Positive(t, peak.Load())
		return int(peak.Load() >> 10)
	}
}

var anonymous = regexp.MustCompile(`(?m)^RssAnon:\s+(\d+) kB$`)

// memory is in KiB, the mapped file of the queue apart.
func (s *site) memory() int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.PID()))
	if err != nil {
		return 0
	}
	found := anonymous.FindSubmatch(status)
	if found == nil {
		return 0
	}
	kib, _ := strconv.ParseInt(string(found[1]), 10, 64)
	return kib
}

// metric is the sum of a metric's series whose labels hold a text.
func (s *site) metric(t *testing.T, name, label string) (sum float64) {
	t.Helper()
	response, err := http.Get("http://" + s.Metrics + "/metrics")
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	for line := range strings.Lines(string(body)) {
		if series, _, _ := strings.Cut(line, " "); (series == name || strings.HasPrefix(series, name+"{")) && strings.Contains(line, label) {
			value, err := strconv.ParseFloat(strings.TrimSpace(line[strings.LastIndex(line, " "):]), 64)
			require.NoError(t, err)
			sum += value
		}
	}
	return sum
}
