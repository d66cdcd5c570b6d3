package e2e

import (
	"context"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/novacron/dwcp-telemetry/internal/decisionlog"
)

// backend is somebody's OTLP backend.
type backend struct {
	plogotlp.UnimplementedGRPCServer
	address string
	refuse  atomic.Bool // answers that it has to be tried later
	silent  atomic.Bool // does not answer
	held    atomic.Int64
	mu      sync.Mutex
	got     []plog.Logs
	records int
}

func startBackend(t *testing.T) *backend {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	b := &backend{address: listener.Addr().String()}
	server := grpc.NewServer()
	plogotlp.RegisterGRPCServer(server, b)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Stop()
		require.NoError(t, <-served)
	})
	return b
}

// Export keeps what it is sent.
func (b *backend) Export(ctx context.Context, request plogotlp.ExportRequest) (plogotlp.ExportResponse, error) {
	if b.silent.Load() {
		b.held.Add(1)
		<-ctx.Done()
		return plogotlp.NewExportResponse(), ctx.Err()
	}
	if b.refuse.Load() {
		return plogotlp.NewExportResponse(), status.Error(codes.Unavailable, "later")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	logs := plog.NewLogs()
	request.Logs().CopyTo(logs)
	b.got = append(b.got, logs)
	b.records += logs.LogRecordCount()
	return plogotlp.NewExportResponse(), nil
}

func (b *backend) wait(t *testing.T, records int) {
	t.Helper()
	require.Eventually(t, func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.records >= records
	}, waitLimit, waitTick)
}

// split returns all that came, as JSON: what holds decisions, and the rest.
func (b *backend) split(t *testing.T) (decisions, others string) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	var withDecisions, without strings.Builder
	for _, logs := range b.got {
		for _, resource := range logs.ResourceLogs().All() {
			alone := plog.NewLogs()
			resource.CopyTo(alone.ResourceLogs().AppendEmpty())
			text, err := (&plog.JSONMarshaler{}).MarshalLogs(alone)
			require.NoError(t, err)
			if decisionlog.IsDecision(resource.ScopeLogs().At(0).LogRecords().At(0)) {
				withDecisions.Write(text)
			} else {
				without.Write(text)
			}
		}
	}
	return withDecisions.String(), without.String()
}
