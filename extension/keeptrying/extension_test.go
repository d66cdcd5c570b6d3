package keeptrying

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension/extensionmiddleware"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/novacron/dwcp-telemetry/extension/keeptrying/internal/metadata"
	"github.com/novacron/dwcp-telemetry/extension/keeptrying/internal/metadatatest"
)

// server answers every request the same, or the one named silent only when it may.
type server struct {
	grpc_health_v1.UnimplementedHealthServer
	answer      error
	asked, free chan struct{}
}

const silent = "silent"

func (s *server) Check(ctx context.Context, request *grpc_health_v1.HealthCheckRequest) (*grpc_health_v1.HealthCheckResponse, error) {
	if request.GetService() == silent {
		close(s.asked)
		select {
		case <-s.free:
		case <-ctx.Done():
		}
	}
	return &grpc_health_v1.HealthCheckResponse{}, s.answer
}

// bundle is a client with the middleware, of a server that answers so.
type bundle struct {
	client    grpc_health_v1.HealthClient
	server    *server
	telemetry *componenttest.Telemetry
	log       *observer.ObservedLogs
	extension *keepTrying
}

func start(t *testing.T, answer error, opts ...grpc.ServerOption) *bundle {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	served := grpc.NewServer(opts...)
	b := &bundle{
		server:    &server{answer: answer, asked: make(chan struct{}), free: make(chan struct{})},
		telemetry: componenttest.NewTelemetry(),
	}
	grpc_health_v1.RegisterHealthServer(served, b.server)
	go func() { _ = served.Serve(listener) }()
	t.Cleanup(served.Stop)

	t.Cleanup(func() { require.NoError(t, b.telemetry.Shutdown(context.Background())) })
	core, observed := observer.New(zap.InfoLevel)
	b.log = observed
	set := extensiontest.NewNopSettings(metadata.Type)
	set.TelemetrySettings = b.telemetry.NewTelemetrySettings()
	set.Logger = zap.New(core)
	made, err := NewFactory().Create(t.Context(), set, NewFactory().CreateDefaultConfig())
	require.NoError(t, err)
	require.NoError(t, made.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, made.Shutdown(context.Background())) })
	b.extension = made.(*keepTrying)

	dial, err := made.(extensionmiddleware.GRPCClient).GetGRPCClientOptions(t.Context())
	require.NoError(t, err)
	conn, err := grpc.NewClient(listener.Addr().String(), append(dial, grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	b.client = grpc_health_v1.NewHealthClient(conn)
	return b
}

func (b *bundle) send(t *testing.T, text string) error {
	t.Helper()
	_, err := b.client.Check(t.Context(), &grpc_health_v1.HealthCheckRequest{Service: text})
	return err
}

func TestWhatAServerRefusesForGoodIsTriedAgainCountedAndToldWithAnAdvice(t *testing.T) {
	t.Parallel()
	for code, advice := range map[codes.Code]string{
		codes.Unauthenticated:    "token or certificate",
		codes.PermissionDenied:   "token or certificate",
		codes.InvalidArgument:    "version",
		codes.Internal:           "version",
		codes.Unimplemented:      "knows logs",
		codes.ResourceExhausted:  "max_recv_msg_size_mib",
		codes.Unknown:            "server's log",
		codes.NotFound:           "server's log",
		codes.FailedPrecondition: "server's log",
		codes.AlreadyExists:      "server's log",
	} {
		t.Run(code.String(), func(t *testing.T) {
			t.Parallel()
			b := start(t, status.Error(code, "go away"))
			require.EqualError(t, b.send(t, ""), "rpc error: code = Unavailable desc = refused, and tried again: "+code.String()+": go away")
			metadatatest.AssertEqualKeeptryingRefused(t, b.telemetry, []metricdata.DataPoint[int64]{
				{Value: 1, Attributes: attribute.NewSet(attribute.String("code", code.String()))},
			}, metricdatatest.IgnoreTimestamp())
			require.Equal(t, 1, b.log.Len())
			require.Equal(t, zap.ErrorLevel, b.log.All()[0].Level)
			require.Equal(t, code.String(), b.log.All()[0].ContextMap()["code"])
			require.Contains(t, b.log.All()[0].ContextMap()["advice"], advice)
		})
	}
}

func TestWhatIsTriedAgainAnywayIsLeftAsItIs(t *testing.T) {
	t.Parallel()
	throttled, err := status.New(codes.ResourceExhausted, "later").WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(time.Second)})
	require.NoError(t, err)
	for name, answer := range map[string]error{
		"success": nil, "throttled": throttled.Err(),
		"unavailable": status.Error(codes.Unavailable, "later"), "aborted": status.Error(codes.Aborted, "later"),
		"canceled": status.Error(codes.Canceled, "later"), "too late": status.Error(codes.DeadlineExceeded, "later"),
		"out of range": status.Error(codes.OutOfRange, "later"), "data loss": status.Error(codes.DataLoss, "later"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := start(t, answer)
			got := b.send(t, "")
			require.Equal(t, status.Convert(answer).Proto().String(), status.Convert(got).Proto().String())
			require.Zero(t, b.log.Len())
			_, err := b.telemetry.GetMetric("otelcol_keeptrying_refused")
			require.Error(t, err, "nothing is counted")
		})
	}
}

// The server's own limit, not a code that a test has made up.
func TestAMessageThatIsTooLargeIsTriedAgain(t *testing.T) {
	t.Parallel()
	b := start(t, nil, grpc.MaxRecvMsgSize(10))
	require.NoError(t, b.send(t, ""))
	require.Equal(t, codes.Unavailable, status.Code(b.send(t, "more than ten bytes")))
	require.Contains(t, b.log.All()[0].ContextMap()["advice"], "max_recv_msg_size_mib")
}

func TestARefusalIsToldOnceAMinuteForEachCode(t *testing.T) {
	t.Parallel()
	b := start(t, nil)
	now := time.Unix(0, 0)
	b.extension.teller.now = func() time.Time { return now }
	for range 100 {
		b.extension.teller.tell(status.New(codes.Unauthenticated, ""))
		b.extension.teller.tell(status.New(codes.Internal, ""))
	}
	require.Equal(t, 2, b.log.Len())
	now = now.Add(tellEvery)
	b.extension.teller.tell(status.New(codes.Internal, ""))
	require.Equal(t, 3, b.log.Len())
}

// sendSilent sends a request that the server has, and does not answer yet.
func (b *bundle) sendSilent(t *testing.T) (answer chan error) {
	t.Helper()
	answer = make(chan error, 1)
	go func() {
		_, err := b.client.Check(context.WithoutCancel(t.Context()), &grpc_health_v1.HealthCheckRequest{Service: silent})
		answer <- err
	}()
	<-b.server.asked
	return answer
}

func TestTheEndOfTheCollectorAbandonsWhatIsNotAnswered(t *testing.T) {
	t.Parallel()
	b := start(t, nil)
	b.extension.answerLimit = time.Millisecond
	answer := b.sendSilent(t)
	require.NoError(t, b.extension.Ready())
	require.NoError(t, b.extension.NotReady())
	require.Equal(t, codes.Canceled, status.Code(<-answer), "the exporter puts it back into its queue")
	require.Equal(t, codes.Canceled, status.Code(b.send(t, "")), "and no other takes its place")
	require.Zero(t, b.log.Len(), "it was not refused")
}

func TestTheEndOfTheCollectorWaitsForAnAnswerThatComes(t *testing.T) {
	t.Parallel()
	b := start(t, nil)
	b.extension.answerLimit = time.Hour
	answer := b.sendSilent(t)
	require.NoError(t, b.extension.NotReady())
	require.NoError(t, b.send(t, "what the queue still has to send"))
	close(b.server.free)
	require.NoError(t, <-answer)
}
