package instrumentation

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/otel/sdk/resource"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
)

const (
	maxInFlight = 4
	maxPause    = 5 * time.Second // between attempts to send
	// Between attempts to connect; short, because Shutdown cannot cut it:
	// grpc-go's ResetConnectBackoff races with its own balancer and may end the
	// process (grpc-go pull request 9155).
	maxReconnect = 2 * time.Second
)

// senderConfig is what the environment says about sending.
type senderConfig struct {
	target   string
	tls      *tlsFiles // nil for plaintext
	headers  metadata.MD
	token    *tokenFile    // nil for none
	timeout  time.Duration // of one attempt
	gzip     bool
	resource *resource.Resource
}

// sender delivers decisions by OTLP/gRPC, several requests at once. Each is
// tried until the collector takes or refuses it, or ctx ends.
type sender struct {
	ctx       context.Context
	conn      *grpc.ClientConn
	encoder   encoder
	buffers   buffers
	timeout   time.Duration
	headers   metadata.MD
	token     *tokenFile
	plaintext bool
	ledger    *ledger
	report    *reporter

	slots   chan struct{} // holds one for each request under way
	hurried chan struct{} // closed by hurry
	sending sync.WaitGroup
}

func newSender(ctx context.Context, c senderConfig, l *ledger, report *reporter) (*sender, error) {
	conn, err := grpc.NewClient(c.target, c.dialOptions()...)
	if err != nil {
		return nil, fmt.Errorf("make a client for %s: %w", c.target, err)
	}
	return &sender{
		ctx:       ctx,
		conn:      conn,
		encoder:   newEncoder(c.resource),
		timeout:   c.timeout,
		headers:   c.headers,
		token:     c.token,
		plaintext: c.tls == nil,
		ledger:    l,
		report:    report,
		slots:     make(chan struct{}, maxInFlight),
		hurried:   make(chan struct{}),
	}, nil
}

func (c *senderConfig) dialOptions() []grpc.DialOption {
	transport := insecure.NewCredentials()
	if c.tls != nil {
		transport = newFreshTLS(*c.tls)
	}
	reconnect := backoff.DefaultConfig
	reconnect.BaseDelay, reconnect.MaxDelay = firstPause, maxReconnect
	options := []grpc.DialOption{
		grpc.WithTransportCredentials(transport),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: reconnect, MinConnectTimeout: maxPause}),
		// Pings no more often than a server allows by default; what counts is that
		// gRPC then sets TCP_USER_TIMEOUT, so that a connection to a host that has
		// vanished is given up after 20 s and not after 15 minutes.
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 10 * time.Minute, Timeout: 20 * time.Second}),
		grpc.WithUserAgent("dwcp-telemetry"),
	}
	if c.token != nil {
		options = append(options, grpc.WithPerRPCCredentials(c.token))
	}
	if c.gzip {
		options = append(options, grpc.WithDefaultCallOptions(grpc.UseCompressor(gzip.Name)))
	}
	return options
}

func (s *sender) ready(ctx context.Context) bool {
	select {
	case s.slots <- struct{}{}:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

func (s *sender) deliver(position uint64, entries []entry) int {
	buf, taken := s.buffers.Get(0), 0
	encoded := s.report.guard("encode decisions", func() { *buf, taken = s.encoder.encode(*buf, entries) })
	if !encoded || taken == 0 {
		<-s.slots
		s.buffers.Put(buf)
		return s.refuse(position, encoded, len(entries))
	}
	request := mem.NewBuffer(buf, &s.buffers)
	s.ledger.begin(position, taken)
	s.sending.Go(func() {
		defer func() { <-s.slots }()
		defer request.Free()
		if !s.report.guard("send decisions", func() { s.send(position, request, taken) }) {
			s.ledger.settle(position, 0, taken)
		}
	})
	return taken
}

// refuse loses what cannot be made into a request: the first decision for its
// size, or all of them where encoding panicked.
func (s *sender) refuse(position uint64, encoded bool, n int) int {
	if encoded {
		n = 1
		s.report.tell("too large", fmt.Errorf("encode a decision: its texts have more than %d bytes: refused", maxTextBytes))
	}
	s.ledger.begin(position, n)
	s.ledger.settle(position, 0, n)
	return n
}

func (s *sender) hurry() { close(s.hurried) }

func (s *sender) close() {
	s.sending.Wait()
	_ = s.conn.Close() // it has nothing left to lose
}
