package dwcp

import (
	"context"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/grpc"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/instrumentation"
	"github.com/novacron/dwcp-telemetry/internal/decisionlog"
)

// collected stands for the collector: it keeps the decisions it is sent, and
// what breaks a rule of the event.
type collected struct {
	plogotlp.UnimplementedGRPCServer
	mu        sync.Mutex
	decisions []decision.Decision
	problems  []error
}

func (c *collected) Export(_ context.Context, request plogotlp.ExportRequest) (plogotlp.ExportResponse, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var decoder decisionlog.Decoder
	for _, resource := range request.Logs().ResourceLogs().All() {
		decoder.Resource(resource.Resource())
		for _, record := range resource.ScopeLogs().At(0).LogRecords().All() {
			var d decision.Decision
			for _, problem := range decoder.Decode(record, decisionlog.Emitted, &d) {
				c.problems = append(c.problems, problem)
			}
			c.decisions = append(c.decisions, d)
		}
	}
	return plogotlp.NewExportResponse(), nil
}

// recorderInto returns a Recorder whose decisions, once it is shut down, are
// what the function returns.
func recorderInto(t *testing.T, options ...instrumentation.Option) (*instrumentation.Recorder, func() []decision.Decision) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	c := &collected{}
	server := grpc.NewServer()
	plogotlp.RegisterGRPCServer(server, c)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"+listener.Addr().String())
	recorder, err := instrumentation.FromEnv(t.Context(), append([]instrumentation.Option{
		instrumentation.WithShadowRatio(1),
		instrumentation.WithShadowBudget(instrumentation.ShadowBudget{CPUPercent: 100, BytesPerSecond: 1 << 30}),
	}, options...)...)
	require.NoError(t, err)
	shutdown := func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		require.NoError(t, recorder.Shutdown(ctx))
	}
	t.Cleanup(shutdown)
	return recorder, func() []decision.Decision {
		require.Eventually(t, func() bool { return recorder.Stats().Open == 0 }, time.Minute, time.Millisecond)
		shutdown()
		require.Empty(t, c.problems, "the event's rules")
		return slices.SortedFunc(slices.Values(c.decisions), func(a, b decision.Decision) int { return a.Timestamp.Compare(b.Timestamp) })
	}
}
