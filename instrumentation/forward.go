package instrumentation

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"go.opentelemetry.io/otel"
	"google.golang.org/grpc"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"

	"github.com/novacron/dwcp-telemetry/internal/decisionwire"
)

// Forwarder sends log records that somebody has encoded already, where and as
// the environment says: the OTEL_EXPORTER_OTLP_… variables of [FromEnv]. It is
// for tools that send decisions again as they once came; what makes decisions
// has a [Recorder].
type Forwarder struct {
	config senderConfig
	conn   *grpc.ClientConn
	report *reporter
}

// NewForwarder reads the environment. It does not wait for a collector to be
// there. tell is called about each attempt that failed; it may be nil.
func NewForwarder(tell func(error)) (*Forwarder, error) {
	env := &environment{lookup: os.Getenv}
	c := env.senderConfig()
	if err := errors.Join(env.problems...); err != nil {
		return nil, fmt.Errorf("forwarder from the environment: %w", err)
	}
	conn, err := grpc.NewClient(c.target, c.dialOptions()...)
	if err != nil {
		return nil, fmt.Errorf("make a client for %s: %w", c.target, err)
	}
	if tell == nil {
		tell = func(error) {}
	}
	return &Forwarder{c, conn, newReporter(otel.ErrorHandlerFunc(tell))}, nil
}

// Send sends the protobuf of an OTLP request, or of LogsData, which is the same,
// with n records, and returns how many of them the collector did not take. It
// is tried until the collector takes or refuses it, or ctx ends. The request
// must not be changed afterwards either: gRPC may still read it.
func (f *Forwarder) Send(ctx context.Context, request []byte, n int) (rejected int, err error) {
	if err := decisionwire.CheckRequest(request); err != nil {
		return 0, fmt.Errorf("read a request of %d decisions: %w", n, err)
	}
	message := mem.SliceBuffer(request)
	s := &sender{ctx: ctx, conn: f.conn, timeout: f.config.timeout, headers: f.config.headers, token: f.config.token, plaintext: f.config.tls == nil, report: f.report}
	pauses := newPauses()
	for {
		rejected, err := s.attempt(message, n)
		if err == nil {
			return rejected, nil
		}
		problem := status.Convert(err)
		if ctx.Err() != nil || !retryable(problem.Code()) {
			return n, fmt.Errorf("send %d decisions to %s: %s: %s", n, s.conn.Target(), problem.Code(), s.withoutSecrets(problem.Message()))
		}
		s.tell("trying again", n, problem.Code(), problem.Message())
		select {
		case <-time.After(max(pauses.NextBackOff(), askedPause(problem))):
		case <-ctx.Done():
		}
	}
}

// Close ends the connection.
func (f *Forwarder) Close() error { return f.conn.Close() }
