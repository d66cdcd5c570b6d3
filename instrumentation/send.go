package instrumentation

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v7"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/novacron/dwcp-telemetry/internal/decisionwire"
)

const firstPause = 250 * time.Millisecond

// send tries a request of n decisions until it is settled. Where ctx ends
// first it stays unsettled: Shutdown tells how many that were.
func (s *sender) send(position uint64, request mem.Buffer, n int) {
	pauses := newPauses()
	hurried := s.hurried
	for {
		rejected, err := s.attempt(request, n)
		if err == nil {
			s.ledger.settle(position, n-rejected, rejected)
			return
		}
		if s.ctx.Err() != nil {
			return
		}
		problem := status.Convert(err)
		if !retryable(problem.Code()) && !mendable(problem.Code()) {
			s.tell("refused", n, problem.Code(), problem.Message())
			s.ledger.settle(position, 0, n)
			return
		}
		s.tell("trying again", n, problem.Code(), problem.Message())
		select {
		case <-time.After(max(pauses.NextBackOff(), askedPause(problem))):
		case <-hurried:
			hurried = nil // once: the next pause is a whole one again
		case <-s.ctx.Done():
			return
		}
	}
}

// newPauses are those between attempts.
func newPauses() *backoff.ExponentialBackOff {
	return &backoff.ExponentialBackOff{
		InitialInterval: firstPause, MaxInterval: maxPause,
		RandomizationFactor: backoff.DefaultRandomizationFactor, Multiplier: 2,
	}
}

// attempt sends a request once and returns how many of its decisions the
// collector rejected.
func (s *sender) attempt(request mem.Buffer, n int) (rejected int, err error) {
	ctx, cancel := context.WithTimeout(s.ctx, s.timeout)
	defer cancel()
	var response decisionwire.Response
	err = s.conn.Invoke(metadata.NewOutgoingContext(ctx, s.headers), exportMethod, request, &response, grpc.ForceCodecV2(codec{}))
	if err != nil {
		return 0, err
	}
	rejected = int(min(max(response.Rejected, 0), int64(n)))
	if rejected > 0 || response.Message != "" {
		s.tell(fmt.Sprintf("%d rejected", rejected), n, codes.OK, response.Message)
	}
	return rejected, nil
}

// retryable is the list of the OTLP specification, with ResourceExhausted in
// any case: a collector whose memory limiter or queue is full answers so.
func retryable(code codes.Code) bool {
	switch code {
	case codes.Canceled, codes.DeadlineExceeded, codes.Aborted, codes.OutOfRange,
		codes.Unavailable, codes.DataLoss, codes.ResourceExhausted:
		return true
	}
	return false
}

// mendable is what may be mended while DWCP runs, a token as a certificate: it
// says something of the sender, and nothing of the decisions.
func mendable(code codes.Code) bool {
	return code == codes.Unauthenticated || code == codes.PermissionDenied
}

// askedPause is how long the collector asks to be left alone.
func askedPause(problem *status.Status) time.Duration {
	for _, detail := range problem.Details() {
		if info, ok := detail.(*errdetails.RetryInfo); ok {
			return info.GetRetryDelay().AsDuration()
		}
	}
	return 0
}

func (s *sender) tell(outcome string, n int, code codes.Code, message string) {
	s.report.tell("send: "+code.String(), fmt.Errorf("send %d decisions to %s: %s: %s: %s",
		n, s.conn.Target(), outcome, code, s.withoutSecrets(message)+s.hint(message)))
}

// hint adds what gRPC does not say: to plaintext, a port that speaks TLS answers
// by closing the connection.
func (s *sender) hint(message string) string {
	if s.plaintext && strings.Contains(message, "error reading server preface") {
		return " (the collector does not answer in plaintext: if it speaks TLS, the endpoint must begin with https://)"
	}
	return ""
}

const (
	maxMessage = 256
	minSecret  = 6 // shorter ones would strike out half the message
)

// withoutSecrets makes a server's message fit to be logged: a server might
// repeat what it was sent, the token of an authorization header included.
func (s *sender) withoutSecrets(message string) string {
	var values []string
	for _, header := range s.headers {
		values = append(values, header...)
	}
	if s.token != nil {
		if sent := s.token.sent.Load(); sent != nil {
			values = append(values, *sent)
		}
	}
	for _, value := range values {
		for _, secret := range append([]string{value}, strings.Fields(value)...) {
			if len(secret) >= minSecret {
				message = strings.ReplaceAll(message, secret, "(withheld)")
			}
		}
	}
	if len(message) > maxMessage {
		message = strings.ToValidUTF8(message[:maxMessage], "") + "…"
	}
	return message
}
