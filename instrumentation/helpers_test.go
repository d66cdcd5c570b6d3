package instrumentation

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/sdk/resource"
	"google.golang.org/grpc"
	_ "google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/internal/decisionlog"
)

// someTime is when the tests' decisions are made.
var someTime = time.Date(2026, 3, 1, 12, 30, 45, 123456000, time.UTC)

func someDecision(requestID string) decision.Decision {
	return decision.Decision{
		Timestamp: someTime, VMID: "vm-1", RequestID: requestID,
		LinkType: decision.WAN, Region: "eu-west-1", NetworkTier: 2, BandwidthAvailableMbps: 940.5,
		BandwidthUtilization: 31.25, RTTMillis: 18.75, PayloadBytes: 64 << 20, PayloadType: "vm_memory",
		HDECompressionRatio: decision.Some(3.5), HDELatencyMillis: decision.Some(120.25),
		AMSTTransferRateMbps: decision.Some(800.5), AMSTLatencyMillis: decision.Some(671.0),
		ActualAlgorithm: decision.Some(decision.HDE), ActualLatencyMillis: decision.Some(310.5),
	}
}

// collector is a real OTLP/gRPC server on the loopback. Its answers come from
// respond; what it acknowledged is kept.
type collector struct {
	plogotlp.UnimplementedGRPCServer
	address string
	server  *grpc.Server
	respond respond
	discard bool // keep nothing

	mu       sync.Mutex
	calls    int
	accepted []plog.Logs
	metadata []metadata.MD
}

func (c *collector) Export(ctx context.Context, request plogotlp.ExportRequest) (plogotlp.ExportResponse, error) {
	c.mu.Lock()
	c.calls++
	call := c.calls
	md, _ := metadata.FromIncomingContext(ctx)
	c.metadata = append(c.metadata, md)
	c.mu.Unlock()
	response, err := plogotlp.NewExportResponse(), error(nil)
	if c.respond != nil {
		response, err = c.respond(call, request.Logs().LogRecordCount())
	}
	if err == nil && !c.discard {
		copied := plog.NewLogs()
		request.Logs().CopyTo(copied)
		c.mu.Lock()
		c.accepted = append(c.accepted, copied)
		c.mu.Unlock()
	}
	return response, err
}

func startCollector(tb testing.TB, respond respond, options ...grpc.ServerOption) *collector {
	tb.Helper()
	return startCollectorAt(tb, "127.0.0.1:0", respond, options...)
}

func startCollectorAt(tb testing.TB, address string, respond respond, options ...grpc.ServerOption) *collector {
	tb.Helper()
	listener, err := net.Listen("tcp", address)
	require.NoError(tb, err)
	c := &collector{address: listener.Addr().String(), server: grpc.NewServer(options...), respond: respond}
	plogotlp.RegisterGRPCServer(c.server, c)
	go func() { _ = c.server.Serve(listener) }()
	tb.Cleanup(c.server.Stop)
	return c
}

// logs returns the requests that were acknowledged.
func (c *collector) logs() []plog.Logs {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.accepted
}

// decisions returns what was acknowledged, as the collector decodes it.
func (c *collector) decisions(tb testing.TB) []decision.Decision {
	tb.Helper()
	return c.decoded(tb, decisionlog.Emitted)
}

// decoded is the same with the label and quality that a Stored record holds.
func (c *collector) decoded(tb testing.TB, stage decisionlog.Stage) (received []decision.Decision) {
	tb.Helper()
	var decoder decisionlog.Decoder
	for _, logs := range c.logs() {
		for _, resourceLogs := range logs.ResourceLogs().All() {
			decoder.Resource(resourceLogs.Resource())
			for _, scopeLogs := range resourceLogs.ScopeLogs().All() {
				for _, record := range scopeLogs.LogRecords().All() {
					var d decision.Decision
					require.Empty(tb, decoder.Decode(record, stage, &d))
					received = append(received, d)
				}
			}
		}
	}
	return received
}

// troubles is an error handler that keeps what it is told.
type troubles struct {
	mu   sync.Mutex
	told []error
}

func (t *troubles) Handle(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.told = append(t.told, err)
}

func (t *troubles) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := errors.Join(t.told...); err != nil {
		return err.Error()
	}
	return ""
}

func testConfig(opts ...Option) config {
	c := defaultConfig()
	c.apply(append([]Option{WithMeterProvider(noop.NewMeterProvider()), WithErrorHandler(&troubles{})}, opts...))
	return c
}

func testSenderConfig(address string) senderConfig {
	return senderConfig{target: "dns:///" + address, timeout: 10 * time.Second, resource: resource.Empty()}
}

// startRecorder sends to that address in plaintext, and is shut down at the end.
func startRecorder(tb testing.TB, address string, opts ...Option) *Recorder {
	tb.Helper()
	r, err := newSendingRecorder(testConfig(opts...), testSenderConfig(address))
	require.NoError(tb, err)
	tb.Cleanup(func() { giveUp(r) })
	return r
}

// giveUp ends a Recorder without waiting for a collector.
func giveUp(r *Recorder) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = r.Shutdown(ctx)
	<-r.done
}

// within bounds a test that waits for what must come.
func within(tb testing.TB) context.Context {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	tb.Cleanup(cancel)
	return ctx
}
