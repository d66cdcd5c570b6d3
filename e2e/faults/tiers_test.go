package faults

import (
	"math/rand/v2"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/e2e/e2etest"
)

// startTiers starts the gateways and the agents that know them by name.
func (r *rig) startTiers() {
	r.Helper()
	r.names = e2etest.NewGateways(r)
	for i := range r.fault.gateways {
		r.startGateway(i)
	}
	for range r.fault.agents {
		r.collectors = append(r.collectors, newMachine(r, e2etest.AgentOptions(r, r.names.Target(), r.overlays(nil, quickerAgent, r.fault.overlay)...)))
	}
}

// startGateway starts the n-th gateway and makes it known.
func (r *rig) startGateway(n int) {
	r.Helper()
	options := e2etest.GatewayOptions(r, r.names, n, r.dsn, r.overlays(nil, r.fault.gatewayOverlay)...)
	r.gateways = append(r.gateways, newMachine(r, options))
	r.names.Are(n + 1)
}

// quickerAgent shortens what the tests would only wait for.
const quickerAgent = `exporters:
  otlp_grpc/gateways:
    retry_on_failure: {initial_interval: 100ms, max_interval: 1s}
`

func TestAgentsAndGatewaysThatDieLoseAndDoubleNothing(t *testing.T) {
	t.Parallel()
	run(t, fault{
		name:  "kill -9 of gateways and agents in turn, under load",
		short: 3, full: 18, agents: 3, gateways: 2,
		inject: func(r *rig, round int) {
			for _, m := range []*machine{r.gateways[round%2], r.collectors[round%3]} {
				time.Sleep(rand.N(300 * time.Millisecond))
				m.kill()
				r.waitAcknowledged(warmUp) // by the other agents, or this one
				m.start()
			}
		},
		verify: func(r *rig) {
			noteKills(r)
			requireShared(r)
		},
	}, fault{
		name:  "kill -9 of an agent while it starts, under load",
		short: 1, full: 20, agents: 3, gateways: 2,
		inject: func(r *rig, round int) {
			m := r.collectors[round%3]
			m.kill()
			for range 3 {
				m.launch()
				time.Sleep(rand.N(300 * time.Millisecond))
				m.kill()
			}
			m.start()
		},
		verify: noteKills,
	}, fault{
		name:  "gateways drained by SIGTERM one after the other, under load",
		short: 1, full: 5, agents: 3, gateways: 2,
		inject: func(r *rig, _ int) {
			for _, m := range r.gateways {
				m.end(syscall.SIGTERM)
				r.waitAcknowledged(warmUp)
				m.start()
			}
		},
	}, fault{
		name:  "fast restart of PostgreSQL below gateways and agents, under load",
		short: 1, full: 5, agents: 3, gateways: 2, ownServer: true,
		inject: func(r *rig, _ int) { require.NoError(r, r.server.Restart(r.Context())) },
	})
}

// requireShared holds that since they started last both gateways have had work
// from the agents.
func requireShared(r *rig) {
	r.startLoad()
	before := r.acceptedByGateways()
	r.waitAcknowledged(10 * warmUp)
	r.settle()
	r.requireAccount()
	after := r.acceptedByGateways()
	first, second := after[0]-before[0], after[1]-before[1]
	require.Greater(r, min(first, second), (first+second)/4, "%.0f and %.0f decisions", first, second)
	r.note("the gateways then share in the ratio of %.0f to %.0f decisions", first, second)
}

func (r *rig) acceptedByGateways() (accepted []float64) {
	for _, m := range r.gateways {
		accepted = append(accepted, m.metric("otelcol_receiver_accepted_log_records"))
	}
	return accepted
}

// While no gateway is there an agent takes what its queue holds, then its senders
// wait; killed with a full queue it has all of it afterwards.
func TestAnAgentKilledWithAFullQueueLosesNothing(t *testing.T) {
	t.Parallel()
	run(t, fault{
		name: "both gateways away, the agents' queues full, and the agents killed",
		full: 5, agents: 3, gateways: 2,
		overlay: "exporters:\n  otlp_grpc/gateways:\n    sending_queue: {queue_size: 500}\n",
		inject: func(r *rig, _ int) {
			for _, m := range r.gateways {
				m.kill()
			}
			for _, m := range r.collectors {
				r.eventually("the agent's queue is full", func() bool {
					return m.metric("otelcol_exporter_queue_size", "otlp_grpc/gateways") > 500-requestEvents
				})
			}
			for _, m := range r.collectors {
				m.kill()
				require.FileExists(r, filepath.Join(m.options.Dir, "queue", "exporter_otlp_grpc_gateways_logs"))
				m.start()
			}
			for _, m := range r.gateways {
				m.start()
			}
		},
		verify: noteKills,
	})
}

// A gateway that has vanished without a word answers no sign of life: its agents
// notice after 30 s at most, so this test takes about as long.
func TestAGatewayThatGoesSilentIsLeft(t *testing.T) {
	t.Parallel()
	r := newRig(t, fault{agents: 3, gateways: 2}, tiered)
	r.startLoad()
	r.waitAcknowledged(warmUp)
	silent := r.gateways[0].process.Load()
	require.NoError(t, silent.Signal(syscall.SIGSTOP))
	t.Cleanup(func() { _ = silent.Signal(syscall.SIGCONT) }) // before it is to end
	r.waitAcknowledged(warmUp)
	r.settle()
	r.eventually("the other gateway gets everything", func() bool {
		return r.number("SELECT count(*) FROM compression_telemetry") == len(r.events)
	})
	r.requireAccount()
	require.NoError(t, silent.Signal(syscall.SIGCONT))
	r.waitAgentsEmpty()
	r.requireAccount()
}

func (r *rig) waitAgentsEmpty() {
	r.Helper()
	for _, m := range r.collectors {
		r.eventually("the agent's queue is empty", func() bool {
			return strings.Contains(m.get(m.process.Load().Metrics, "/metrics"), "otelcol_exporter_queue_size") &&
				m.metric("otelcol_exporter_queue_size") == 0
		})
	}
}
