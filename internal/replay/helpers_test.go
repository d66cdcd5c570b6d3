package replay_test

import (
	"context"
	"fmt"
	"iter"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/grpc"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/instrumentation"
	"github.com/novacron/dwcp-telemetry/internal/decisionlog"
	"github.com/novacron/dwcp-telemetry/internal/replay"
)

// server is a real OTLP/gRPC server that keeps the decisions it is sent.
type server struct {
	plogotlp.UnimplementedGRPCServer
	address string
	hold    chan struct{} // answers wait until it is closed; nil: they do not

	mu       sync.Mutex
	received []decision.Decision
}

func (s *server) Export(ctx context.Context, request plogotlp.ExportRequest) (plogotlp.ExportResponse, error) {
	if s.hold != nil {
		select {
		case <-s.hold:
		case <-ctx.Done():
			return plogotlp.NewExportResponse(), ctx.Err()
		}
	}
	var decoder decisionlog.Decoder
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, resource := range request.Logs().ResourceLogs().All() {
		decoder.Resource(resource.Resource())
		for _, scope := range resource.ScopeLogs().All() {
			for _, record := range scope.LogRecords().All() {
				var d decision.Decision
				if problems := decoder.Decode(record, decisionlog.Emitted, &d); len(problems) > 0 {
					return plogotlp.NewExportResponse(), fmt.Errorf("decode: %v", problems)
				}
				s.received = append(s.received, d)
			}
		}
	}
	return plogotlp.NewExportResponse(), nil
}

// inOrder returns what has come, in the order in which it was recorded.
func (s *server) inOrder() []decision.Decision {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.SortedFunc(slices.Values(s.received), func(a, b decision.Decision) int {
		return int(a.RecorderSequence.Value - b.RecorderSequence.Value)
	})
}

// startServer starts a server and has the standard variables name it.
func startServer(t *testing.T, hold chan struct{}) *server {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &server{address: listener.Addr().String(), hold: hold}
	g := grpc.NewServer()
	plogotlp.RegisterGRPCServer(g, s)
	go func() { _ = g.Serve(listener) }()
	t.Cleanup(g.Stop)
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, "OTEL_") || strings.HasPrefix(name, "DWCP_") {
			t.Setenv(name, "")
		}
	}
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"+s.address)
	return s
}

func newRecorder(t *testing.T, options ...instrumentation.Option) *instrumentation.Recorder {
	t.Helper()
	r, err := instrumentation.FromEnv(t.Context(), options...)
	require.NoError(t, err)
	t.Cleanup(func() {
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		_ = r.Shutdown(ended)
	})
	return r
}

// send sends and waits until all has come.
func send(t *testing.T, source replay.Source, o replay.Options, options ...instrumentation.Option) (*server, *instrumentation.Recorder) {
	t.Helper()
	s := startServer(t, nil)
	r := newRecorder(t, options...)
	n, err := replay.Send(t.Context(), r, source, o)
	require.NoError(t, err)
	shutdown(t, r)
	require.Equal(t, instrumentation.Stats{Recorded: uint64(n), Sent: uint64(n)}, r.Stats())
	return s, r
}

func shutdown(t *testing.T, r *instrumentation.Recorder) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	require.NoError(t, r.Shutdown(ctx))
}

// begin is when the decisions of the tests' sources were made, now when they
// are replayed.
var (
	begin = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	now   = time.Date(2027, 5, 20, 8, 30, 0, 0, time.UTC)
)

const week = 7 * 24 * time.Hour

// made is a source of n decisions, one a second, two of which share a session.
func made(n int) replay.Source {
	return func() iter.Seq2[decision.Decision, error] {
		return func(yield func(decision.Decision, error) bool) {
			for i := range n {
				if !yield(numbered(i), nil) {
					return
				}
			}
		}
	}
}

func numbered(i int) decision.Decision {
	return decision.Decision{
		Timestamp: begin.Add(time.Duration(i) * time.Second), VMID: "vm-1", RequestID: fmt.Sprintf("request-%d", i),
		SessionID: decision.Some(fmt.Sprintf("session-%d", i/2)), LinkType: decision.WAN, Region: "eu-west-1", NetworkTier: 2,
		BandwidthAvailableMbps: 940.5, BandwidthUtilization: 31.25, RTTMillis: float64(i), PayloadBytes: 1 << 20, PayloadType: "vm_disk",
	}
}
