package faults

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/e2e/e2etest"
	"github.com/novacron/dwcp-telemetry/internal/decisionlog"
)

// event is one decision that is sent until it is acknowledged.
type event struct {
	decision decision.Decision
	twist    *twist // nil where nothing is odd
}

// good says that the table must hold it; else it must be among the rejected.
func (e *event) good() bool { return e.twist == nil || e.twist.reason == "" }

func (e *event) encode(record plog.LogRecord) {
	decisionlog.Encode(&e.decision, record)
	if e.twist != nil {
		e.twist.apply(record)
	}
}

// source makes the i-th event.
type source func(random *rand.Rand, now time.Time, i int) *event

func goodDecisions(random *rand.Rand, now time.Time, i int) *event {
	return &event{decision: e2etest.Decision(random, now, i)}
}

const (
	requestEvents = 25
	inFlight      = 4 // requests of one sender
	pace          = 40 * time.Millisecond
	// A sender gives up waiting for an answer after this, and sends again: what
	// was committed meanwhile must not come twice.
	attemptLimit = 5 * time.Second
)

// load sends to every collector, each the same requests (to every agent its own),
// until it is stopped, and then until every request is acknowledged by each of them.
type load struct {
	*rig
	senders sync.WaitGroup
	cancel  context.CancelFunc

	mu           sync.Mutex
	random       *rand.Rand
	requests     [][]*event
	acknowledged int // events, by each of the collectors
	again        int // attempts that failed and were made again
	stopped      bool
	refused      error // an answer after which a sender must not try again
}

// startLoad starts sending events that did not exist before.
func (r *rig) startLoad() {
	ctx, cancel := context.WithCancel(r.Context())
	l := &load{rig: r, cancel: cancel, random: rand.New(rand.NewPCG(uint64(len(r.events)), 7))}
	r.load = l
	shared := &cursor{}
	for _, m := range r.collectors {
		s := &sender{load: l, to: m, cursor: &cursor{}}
		if r.fault.agents > 0 {
			s.cursor = shared
		}
		for range inFlight {
			l.senders.Go(func() { s.work(ctx) })
		}
	}
	r.Cleanup(func() { cancel(); l.senders.Wait() })
}

// request returns the n-th request, making it where there is none yet.
func (l *load) request(n int) ([]*event, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n < len(l.requests) {
		return l.requests[n], true
	}
	if l.stopped {
		return nil, false
	}
	next := l.fault.events
	if next == nil {
		next = goodDecisions
	}
	request := []*event{}
	for range requestEvents {
		e := next(l.random, l.now(), len(l.events))
		request, l.events = append(request, e), append(l.events, e)
	}
	l.requests = append(l.requests, request)
	return request, true
}

// answered counts an answer, and says whether the senders are to go on.
func (l *load) answered(events int, err error) (goOn bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch code := status.Code(err); code {
	case codes.OK:
		l.acknowledged += events
	// What OTLP calls retryable.
	case codes.Canceled, codes.DeadlineExceeded, codes.Aborted, codes.OutOfRange, codes.Unavailable, codes.DataLoss, codes.ResourceExhausted:
		l.again++
	default:
		l.refused = err
	}
	return l.refused == nil
}

func (l *load) acknowledgedSoFar() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.acknowledged
}

// waitAcknowledged waits until n more events are acknowledged.
func (r *rig) waitAcknowledged(n int) {
	r.Helper()
	goal := r.load.acknowledgedSoFar() + n
	r.eventually("decisions are acknowledged", func() bool { return r.load.acknowledgedSoFar() >= goal })
}

// settle ends the round: nothing new is sent, and everything is acknowledged.
func (r *rig) settle() {
	r.Helper()
	l := r.load
	l.mu.Lock()
	l.stopped = true
	l.mu.Unlock()
	all := make(chan struct{})
	go func() { l.senders.Wait(); close(all) }()
	select {
	case <-all:
	case <-time.After(waitLimit):
		require.Fail(r, "what was sent is not acknowledged")
	}
	require.NoError(r, l.refused, "a sender was told not to send again: the decisions would be lost")
	r.tally.again += l.again
	r.tally.rounds++
}

// sender has several requests in flight to one collector.
type sender struct {
	*load
	to *machine
	*cursor
}

// cursor is which request comes next.
type cursor struct {
	mu   sync.Mutex
	next int
}

func (s *sender) take() ([]*event, bool) {
	s.cursor.mu.Lock()
	defer s.cursor.mu.Unlock()
	request, ok := s.request(s.next)
	s.next++
	return request, ok
}

func (s *sender) work(ctx context.Context) {
	var line connection
	defer line.close()
	for {
		events, ok := s.take()
		if !ok {
			return
		}
		request := encodeRequest(events)
		for pause := 50 * time.Millisecond; ; pause = min(2*pause, time.Second) {
			err := line.send(ctx, s.to.process.Load().GRPC, request)
			goOn := s.answered(len(events), err)
			if ctx.Err() != nil || !goOn {
				return
			}
			if err == nil {
				break
			}
			time.Sleep(pause)
		}
		time.Sleep(pace)
	}
}

func encodeRequest(events []*event) plogotlp.ExportRequest {
	logs := plog.NewLogs()
	resource := logs.ResourceLogs().AppendEmpty()
	decisionlog.EncodeResource(&events[0].decision, resource.Resource())
	records := resource.ScopeLogs().AppendEmpty().LogRecords()
	for _, e := range events {
		e.encode(records.AppendEmpty())
	}
	return plogotlp.NewExportRequestFromLogs(logs)
}

// connection is one to the collector wherever it listens now.
type connection struct {
	address string
	conn    *grpc.ClientConn
}

func (c *connection) send(ctx context.Context, address string, request plogotlp.ExportRequest) error {
	if c.conn == nil || c.address != address {
		c.close()
		conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithConnectParams(grpc.ConnectParams{MinConnectTimeout: time.Second,
				Backoff: backoff.Config{BaseDelay: 20 * time.Millisecond, Multiplier: 1.5, MaxDelay: 200 * time.Millisecond}}))
		if err != nil {
			return status.Error(codes.Unavailable, err.Error())
		}
		c.address, c.conn = address, conn
	}
	ctx, cancel := context.WithTimeout(ctx, attemptLimit)
	defer cancel()
	response, err := plogotlp.NewGRPCClient(c.conn).Export(ctx, request)
	if err == nil && response.PartialSuccess().RejectedLogRecords() > 0 {
		return status.Error(codes.InvalidArgument, response.PartialSuccess().ErrorMessage())
	}
	return err
}

func (c *connection) close() {
	if c.conn != nil {
		_ = c.conn.Close()
		c.conn = nil
	}
}
