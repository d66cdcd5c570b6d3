package faults

import (
	"math/rand/v2"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/novacron/dwcp-telemetry/e2e/e2etest"
	"github.com/novacron/dwcp-telemetry/e2e/kafkatest"
)

// The names and numbers of deploy/kafka.
const (
	kafkaTopic      = "dwcp-decisions"
	kafkaGroup      = "dwcp-gateways"
	kafkaPartitions = 16
)

// startKafka starts brokers with the topic that docs/kafka.md makes, and gateways and
// agents on both sides of it.
func (r *rig) startKafka() {
	r.Helper()
	r.kafka = kafkatest.Start(r, r.fault.brokers)
	two, size, no := "2", "6291456", "false"
	created, err := r.kafka.Admin.CreateTopic(r.Context(), kafkaPartitions, int16(r.fault.brokers), map[string]*string{
		"min.insync.replicas": &two, "max.message.bytes": &size, "unclean.leader.election.enable": &no,
	}, kafkaTopic)
	require.NoError(r, err)
	require.NoError(r, created.Err)
	for range r.fault.gateways {
		r.gateways = append(r.gateways, newMachine(r, e2etest.KafkaGatewayOptions(r, r.kafka.Addresses(), r.dsn, r.overlays(nil, quickerKafka)...)))
	}
	for range r.fault.agents {
		r.collectors = append(r.collectors, newMachine(r, e2etest.KafkaAgentOptions(r, r.kafka.Addresses(), r.overlays(nil, quickerKafka)...)))
	}
}

// quickerKafka shortens what the tests would only wait for.
const quickerKafka = `receivers:
  kafka:
    autocommit: {interval: 100ms}
    session_timeout: 3s
    heartbeat_interval: 300ms
    error_backoff: {initial_interval: 100ms, max_interval: 1s}
connectors:
  vmpartition:
    sending_queue: {batch: {flush_timeout: 100ms}}
    retry_on_failure: {initial_interval: 100ms, max_interval: 1s}
`

// kafkaFaults are tried in turn, a round each.
var kafkaFaults = []func(r *rig, round int){
	func(r *rig, _ int) { // a broker, while the others lead its partitions
		b := r.kafka.Brokers[rand.N(len(r.kafka.Brokers))]
		b.Kill()
		r.waitWritten(warmUp)
		b.Start(r)
	},
	func(r *rig, round int) { // a gateway and an agent
		m, n := r.gateways[round%len(r.gateways)], r.collectors[round%len(r.collectors)]
		m.kill()
		r.waitWritten(warmUp) // the other one has its partitions
		n.kill()
		m.start()
		n.start()
	},
	func(r *rig, _ int) { // both gateways, with messages that PostgreSQL has not committed
		r.lockTable(func() {
			r.eventually("gateways wait for the table", func() bool {
				return r.number("SELECT count(*) FROM pg_stat_activity WHERE usename = $1 AND wait_event_type = 'Lock'", r.login) >= 2
			})
			r.waitAcknowledged(10 * warmUp) // many of the intervals at which offsets are committed
			for _, m := range r.gateways {
				m.kill()
			}
		})
		for _, m := range r.gateways {
			m.start()
		}
	},
	func(r *rig, _ int) { // PostgreSQL
		require.NoError(r, r.server.Restart(r.Context()))
	},
	func(r *rig, _ int) { // all brokers at once
		for _, b := range r.kafka.Brokers {
			b.Kill()
		}
		r.waitAcknowledged(warmUp) // by the agents' queues
		for _, b := range r.kafka.Brokers {
			b.Start(r)
		}
	},
	func(r *rig, _ int) { // a gateway that is frozen, until the other one has its partitions
		m := r.gateways[rand.N(len(r.gateways))]
		r.freeze(m.process.Load(), func() {
			r.eventually("the group goes on without it", func() bool { return r.members() == len(r.gateways)-1 })
			r.waitWritten(warmUp)
		})
	},
	func(r *rig, round int) { // all of it
		var breaking sync.WaitGroup
		b, m, n := r.kafka.Brokers[rand.N(len(r.kafka.Brokers))], r.gateways[round%len(r.gateways)], r.collectors[round%len(r.collectors)]
		breaking.Go(b.Kill)
		m.kill()
		n.kill()
		breaking.Wait()
		require.NoError(r, r.server.Restart(r.Context()))
		b.Start(r)
		m.start()
		n.start()
	},
	func(r *rig, _ int) { // a broker that is frozen: agents wait for its answer for the exporter's timeout
		b := r.kafka.Brokers[rand.N(len(r.kafka.Brokers))]
		r.freeze(b, func() { r.waitWritten(10 * warmUp) })
	},
}

func TestKafkaBetweenAgentsAndGatewaysLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	run(t, fault{
		name:  "kill -9 of brokers, gateways and agents, or frozen, restart of PostgreSQL, with Kafka between",
		short: len(kafkaFaults) - 1, full: 4 * len(kafkaFaults), agents: 2, gateways: 2, brokers: 3, ownServer: true,
		inject: func(r *rig, round int) {
			time.Sleep(rand.N(300 * time.Millisecond))
			kafkaFaults[round%len(kafkaFaults)](r, round)
			r.kafka.WaitAll(r)
			r.kafka.WaitInSync(r, kafkaTopic)
		},
		verify: func(r *rig) {
			noteKills(r)
			r.requireAllCommitted()
		},
	})
}

// waitWritten waits until n more decisions are in the table.
func (r *rig) waitWritten(n int) {
	r.Helper()
	goal := r.number("SELECT count(*) FROM compression_telemetry") + n
	r.eventually("decisions are written", func() bool { return r.number("SELECT count(*) FROM compression_telemetry") >= goal })
}

// freeze stops a process, as a machine that swaps or is moved does, while something is done.
func (r *rig) freeze(process interface{ Signal(syscall.Signal) error }, meanwhile func()) {
	r.Helper()
	require.NoError(r, process.Signal(syscall.SIGSTOP))
	defer func() { require.NoError(r, process.Signal(syscall.SIGCONT)) }()
	meanwhile()
}

// members are how many gateways the group has; -1 while it has none that work.
func (r *rig) members() int {
	groups, err := r.kafka.Admin.DescribeGroups(r.Context(), kafkaGroup)
	if err != nil || groups[kafkaGroup].State != "Stable" {
		return -1
	}
	return len(groups[kafkaGroup].Members)
}

// requireAllCommitted holds that the group has in the end committed all that is in the
// topic, so that nothing is read again without a cause.
func (r *rig) requireAllCommitted() {
	r.Helper()
	r.eventually("the group has committed all there is", func() bool {
		behind, err := r.uncommitted()
		return err == nil && behind == 0
	})
}

// uncommitted is how many messages of the topic the group has not committed.
func (r *rig) uncommitted() (behind int64, err error) {
	ends, err := r.kafka.Admin.ListEndOffsets(r.Context(), kafkaTopic)
	if err != nil {
		return 0, err
	}
	committed, err := r.kafka.Admin.FetchOffsets(r.Context(), kafkaGroup)
	if err != nil {
		return 0, err
	}
	ends.Each(func(end kadm.ListedOffset) {
		at, _ := committed.Lookup(end.Topic, end.Partition)
		behind += end.Offset - at.At
	})
	return behind, ends.Error()
}
