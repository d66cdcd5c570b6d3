package keeptrying

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// intercept lets a request through and turns its refusal into Unavailable. One that
// is abandoned ends as Canceled, after which an exporter tries again too.
func (k *keepTrying) intercept(ctx context.Context, method string, request, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	limited, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(k.abandoned, cancel)()
	err := invoke(limited, method, request, reply, conn, opts...)
	answer := status.Convert(err)
	if err == nil || triedAgain(answer) {
		return err
	}
	k.telemetry.KeeptryingRefused.Add(ctx, 1, metric.WithAttributes(attribute.String("code", answer.Code().String())))
	k.teller.tell(answer)
	// No %w: a status inside would be found and taken for the answer.
	return status.Error(codes.Unavailable, fmt.Sprintf("refused, and tried again: %s: %s", answer.Code(), answer.Message()))
}

// triedAgain reports whether an exporter tries again after this answer by itself:
// what OTLP says of gRPC's codes.
func triedAgain(answer *status.Status) bool {
	switch answer.Code() {
	case codes.OK, codes.Canceled, codes.DeadlineExceeded, codes.Aborted, codes.OutOfRange, codes.Unavailable, codes.DataLoss:
		return true
	case codes.ResourceExhausted:
		for _, detail := range answer.Details() {
			if _, says := detail.(*errdetails.RetryInfo); says {
				return true
			}
		}
	}
	return false
}

// advice says what an operator can do about a code.
func advice(code codes.Code) string {
	switch code {
	case codes.Unauthenticated, codes.PermissionDenied:
		return "give this client the token or certificate that the server wants"
	case codes.ResourceExhausted:
		return "raise the server's max_recv_msg_size_mib above the client's largest batch"
	case codes.Unimplemented:
		return "look whether the address is an OTLP server's, and whether that knows logs and the client's compression"
	case codes.InvalidArgument, codes.Internal:
		return "look at the server's log, and whether its version is at least the client's"
	}
	return "look at the server's log"
}

// teller logs refusals, each code at most once a minute.
type teller struct {
	log *zap.Logger
	now func() time.Time

	mu   sync.Mutex
	told map[codes.Code]time.Time
}

// newTeller logs without a stack: where in the client an answer arrives is no news.
func newTeller(log *zap.Logger) *teller {
	return &teller{log: log.WithOptions(zap.AddStacktrace(zapcore.FatalLevel)), now: time.Now, told: map[codes.Code]time.Time{}}
}

const tellEvery = time.Minute

func (t *teller) tell(answer *status.Status) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	if last, told := t.told[answer.Code()]; told && now.Sub(last) < tellEvery {
		return
	}
	t.told[answer.Code()] = now
	t.log.Error("the server refuses requests for good; they are kept and tried again",
		zap.Stringer("code", answer.Code()), zap.String("message", answer.Message()), zap.String("advice", advice(answer.Code())))
}
