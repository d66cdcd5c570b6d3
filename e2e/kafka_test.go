package e2e

import (
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/e2e/e2etest"
	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
)

// All decisions of a VM lie in one partition, in the order in which the agent took
// them; no raw VM id gets into Kafka; and what PostgreSQL has in the end is every
// decision, once.
func TestThroughKafkaEachVMStaysInOnePartitionAndInOrder(t *testing.T) {
	k := startKafka(t)
	agent, gateway := k.startAgent(t), k.startGateway(t)
	all := decisions(600)
	for i := range all {
		all[i].VMID, all[i].RecorderSequence = fmt.Sprintf("vm-of-kafka-%d", i%50), decision.Some(int64(i+1))
	}
	for i := 0; i < len(all); i += 60 {
		agent.send(t, encoded(all[i:i+60]))
	}
	conn := pgtest.Connect(t, gateway.admin)
	waitReceived(t, conn, len(all))
	require.Equal(t, len(all), queryInt(t, conn, "SELECT count(*) FROM compression_telemetry"))

	partitionOf, latest, used := map[string]int32{}, map[string]int64{}, map[int32]string{}
	for _, message := range k.messages(t) {
		require.NotContains(t, string(message.Value), "vm-of-kafka", "a raw VM id in Kafka")
		if key, known := used[message.Partition]; known {
			require.Equal(t, key, string(message.Key))
		}
		used[message.Partition] = string(message.Key)
		for _, seen := range readMessage(t, message.Value) {
			if partition, known := partitionOf[seen.vm]; known {
				require.Equal(t, partition, message.Partition, seen.vm)
			}
			partitionOf[seen.vm] = message.Partition
			require.Greater(t, seen.sequence, latest[seen.vm], "a VM's decisions have lost their order")
			latest[seen.vm] = seen.sequence
		}
	}
	require.Len(t, latest, 50)
	require.Contains(t, latest, e2etest.Pseudonym("vm-of-kafka-7"))
	require.Greater(t, len(used), kafkaPartitions/2, "VMs are spread over the partitions")
	k.requireAllCommitted(t)
}

type seenDecision struct {
	vm       string
	sequence int64
}

// readMessage returns what a message holds.
func readMessage(t *testing.T, value []byte) (all []seenDecision) {
	t.Helper()
	logs, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(value)
	require.NoError(t, err)
	for _, resource := range logs.ResourceLogs().All() {
		for _, scope := range resource.ScopeLogs().All() {
			for _, record := range scope.LogRecords().All() {
				vm, _ := record.Attributes().Get("dwcp.vm.id")
				sequence, _ := record.Attributes().Get("dwcp.recorder.sequence")
				all = append(all, seenDecision{vm: vm.Str(), sequence: sequence.Int()})
			}
		}
	}
	return all
}

// While PostgreSQL takes nothing, no offset is committed, whatever the gateway has
// fetched.
func TestOffsetsAreCommittedOnlyAfterPostgreSQLHasCommitted(t *testing.T) {
	k := startKafka(t)
	var heartbeats atomic.Int64
	k.ControlKey(int16(kmsg.Heartbeat), func(kmsg.Request) (kmsg.Response, error, bool) {
		heartbeats.Add(1)
		return nil, nil, false
	})
	agent, gateway := k.startAgent(t), k.startGateway(t)
	agent.send(t, encoded(decisions(50))) // the group is there, and so is its connection
	conn := pgtest.Connect(t, gateway.admin)
	waitReceived(t, conn, 50)
	k.requireAllCommitted(t)
	before := k.committed(t)

	lock, err := pgtest.Connect(t, gateway.admin).Begin(t.Context())
	require.NoError(t, err)
	_, err = lock.Exec(t.Context(), "LOCK TABLE compression_telemetry IN SHARE MODE") // reading goes on
	require.NoError(t, err)
	agent.send(t, encoded(decisions(50)))
	require.Eventually(t, func() bool {
		return queryInt(t, conn, "SELECT count(*) FROM pg_locks WHERE NOT granted") > 0
	}, waitLimit, waitTick, "the gateway has fetched something and waits for its commit")
	since := heartbeats.Load()
	// Long enough for offsets to be committed ten times.
	require.Eventually(t, func() bool { return heartbeats.Load() >= since+10 }, waitLimit, waitTick)
	require.Greater(t, k.produced(t), before)
	require.Equal(t, before, k.committed(t), "an offset is committed before PostgreSQL has committed")
	require.NoError(t, lock.Rollback(t.Context()))
	waitReceived(t, conn, 100)
	k.requireAllCommitted(t)
}

// What is no OTLP is passed over, with a count and its offset on record, and does not hold
// up what lies behind it.
func TestAMessageThatCannotBeReadHoldsUpNothingAndIsTold(t *testing.T) {
	k := startKafka(t)
	var poison []int64
	for partition := range int32(5) { // the collector logs no more than 10 alike at once
		poison = append(poison, k.produce(t, partition, []byte("no OTLP at all")).Offset)
	}
	agent, gateway := k.startAgent(t), k.startGateway(t)
	agent.send(t, encoded(decisions(200)))
	conn := pgtest.Connect(t, gateway.admin)
	waitReceived(t, conn, 200)
	k.requireAllCommitted(t)
	require.Equal(t, 200, queryInt(t, conn, "SELECT count(*) FROM compression_telemetry"))
	page := get(t, "http://"+gateway.Metrics+"/metrics")
	for partition, offset := range poison {
		require.InDelta(t, 1, sample(t, page, "otelcol_kafka_receiver_unmarshal_failed_log_records", `partition="`+strconv.Itoa(partition)+`"`), 0)
		require.Regexp(t, fmt.Sprintf(`skipping due to message_marking config.*"partition": %d,.*"offset": %d`, partition, offset), gateway.Log())
	}
}

// A permission that is missing is somebody's to mend; until then the agent keeps
// what it has acknowledged, over a restart too.
func TestWhatKafkaRefusesForGoodIsKeptUntilItIsTaken(t *testing.T) {
	k := startKafka(t)
	var refuse atomic.Bool
	refuse.Store(true)
	k.ControlKey(int16(kmsg.Produce), func(request kmsg.Request) (kmsg.Response, error, bool) {
		if !refuse.Load() {
			return nil, nil, false
		}
		k.KeepControl()
		return refusal(request.(*kmsg.ProduceRequest)), nil, true
	})
	agent, gateway := k.startAgent(t), k.startGateway(t)
	agent.send(t, encoded(decisions(300)))
	require.Eventually(t, func() bool {
		return strings.Count(agent.Log(), "refused, and tried again") > 2
	}, waitLimit, waitTick, "it tries again")
	require.Positive(t, sample(t, get(t, "http://"+agent.Metrics+"/metrics"), "otelcol_vmpartition_refused", ""))
	require.Contains(t, agent.Log(), "decisions are refused for good; they are kept and tried again")
	require.Contains(t, agent.Log(), "TOPIC_AUTHORIZATION_FAILED")
	require.NoError(t, agent.Stop())
	require.Zero(t, k.produced(t))
	agent.start(t)
	refuse.Store(false)
	conn := pgtest.Connect(t, gateway.admin)
	waitReceived(t, conn, 300)
	require.Equal(t, 300, queryInt(t, conn, "SELECT count(*) FROM compression_telemetry"))
}

// refusal answers each partition of a request that this client may not write to the
// topic.
func refusal(request *kmsg.ProduceRequest) kmsg.Response {
	response := request.ResponseKind().(*kmsg.ProduceResponse)
	for _, topic := range request.Topics {
		answer := kmsg.NewProduceResponseTopic()
		answer.Topic, answer.TopicID = topic.Topic, topic.TopicID
		for _, partition := range topic.Partitions {
			p := kmsg.NewProduceResponseTopicPartition()
			p.Partition, p.ErrorCode = partition.Partition, kerr.TopicAuthorizationFailed.Code
			answer.Partitions = append(answer.Partitions, p)
		}
		response.Topics = append(response.Topics, answer)
	}
	return response
}
