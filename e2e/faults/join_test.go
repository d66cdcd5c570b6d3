package faults

import (
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/e2e/e2etest"
	"github.com/novacron/dwcp-telemetry/internal/ledger"
	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
)

// trickle sends an agent one decision at a time, numbered as a Recorder does.
type trickle struct {
	*rig
	line     connection
	random   *rand.Rand
	recorder decision.UUID
}

func (s *trickle) send() {
	s.Helper()
	d := e2etest.Decision(s.random, time.Now(), len(s.events))
	d.RecorderID, d.RecorderSequence = decision.Some(s.recorder), decision.Some(int64(len(s.events)+1))
	e := &event{decision: d}
	s.events = append(s.events, e)
	require.NoError(s, s.line.send(s.Context(), s.collector().process.Load().GRPC, encodeRequest([]*event{e})))
}

// sendUntil sends until something has come true.
func (s *trickle) sendUntil(what string, done func() bool) {
	s.Helper()
	s.eventually(what, func() bool { s.send(); return done() })
}

// gRPC's client looks a name up again when a connection has ended, but not twice
// within 30 s: this test takes about as long.
func TestAGatewayThatJoinsGetsItsShareAndOneThatLeavesLeavesNoGap(t *testing.T) {
	t.Parallel()
	r := newRig(t, fault{agents: 1, gateways: 1,
		gatewayOverlay: "receivers: {otlp: {protocols: {grpc: {keepalive: {server_parameters: {max_connection_age: 1s}}}}}}\n"}, tiered)
	s := &trickle{rig: r, random: rand.New(rand.NewPCG(3, 4)), recorder: decision.UUID(uuid.New())}
	defer s.line.close()
	s.sendUntil("the first gateway has work", func() bool { return r.acceptedByGateways()[0] > 0 })
	r.startGateway(1)
	s.sendUntil("the second is found", func() bool { return r.acceptedByGateways()[1] > 0 })

	before := r.acceptedByGateways()
	first, second := 0.0, 0.0
	s.sendUntil("both have had work", func() bool {
		now := r.acceptedByGateways()
		first, second = now[0]-before[0], now[1]-before[1]
		return first+second > 100
	})
	require.Greater(t, min(first, second), (first+second)/5, "%.0f and %.0f decisions", first, second)

	r.gateways[0].end(syscall.SIGTERM)
	for range 100 {
		s.send()
	}
	r.requireAccount()
	status, err := ledger.ReadStatus(t.Context(), pgtest.Connect(t, r.admin), ledger.DefaultGoal())
	require.NoError(t, err)
	all := int64(len(r.events))
	require.Equal(t, ledger.Completeness{Recorders: 1, Received: all, Expected: all}, status.Completeness)
	r.gateways[0].start() // as its cleanup expects
}
