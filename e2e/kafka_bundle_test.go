package e2e

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/e2e/e2etest"
	"github.com/novacron/dwcp-telemetry/internal/decisionlog"
	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
)

// The names and numbers of deploy/kafka.
const (
	kafkaTopic      = "dwcp-decisions"
	kafkaGroup      = "dwcp-gateways"
	kafkaPartitions = 16
)

// kafka is a stand-in for brokers, in this process: what real ones do when they die is
// e2e/faults' to see.
type kafka struct {
	*kfake.Cluster
	brokers string
	admin   *kadm.Client
}

func startKafka(t *testing.T) *kafka {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(3), kfake.SeedTopics(kafkaPartitions, kafkaTopic))
	require.NoError(t, err)
	t.Cleanup(cluster.Close)
	k := &kafka{Cluster: cluster, brokers: strings.Join(cluster.ListenAddrs(), ",")}
	k.admin = kadm.NewClient(k.client(t))
	return k
}

func (k *kafka) client(t *testing.T, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(append(opts, kgo.SeedBrokers(strings.Split(k.brokers, ",")...))...)
	require.NoError(t, err)
	t.Cleanup(client.Close)
	return client
}

// quickKafka shortens what the tests would only wait for.
const quickKafka = `receivers:
  kafka:
    autocommit: {interval: 100ms}
    heartbeat_interval: 100ms
    error_backoff: {initial_interval: 50ms, max_interval: 200ms}
connectors:
  vmpartition:
    sending_queue: {batch: {flush_timeout: 20ms}}
    retry_on_failure: {initial_interval: 50ms, max_interval: 200ms}
`

func (k *kafka) startAgent(t *testing.T) *pipeline {
	t.Helper()
	return startTier(t, e2etest.KafkaAgentOptions(t, k.brokers, overlay(t, quickKafka)), "")
}

func (k *kafka) startGateway(t *testing.T) *pipeline {
	t.Helper()
	admin := pgtest.Database(t)
	dsn := pgtest.Login(t, admin, "dwcp_writer")
	return startTier(t, e2etest.KafkaGatewayOptions(t, k.brokers, dsn, overlay(t, quickKafka)), admin)
}

// messages returns all that the topic holds, of each partition in its order.
func (k *kafka) messages(t *testing.T) (all []*kgo.Record) {
	t.Helper()
	ends, err := k.admin.ListEndOffsets(t.Context(), kafkaTopic)
	require.NoError(t, err)
	want := 0
	ends.Each(func(end kadm.ListedOffset) { want += int(end.Offset) })
	reader := k.client(t, kgo.ConsumeTopics(kafkaTopic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	for len(all) < want {
		fetches := reader.PollFetches(t.Context())
		require.NoError(t, fetches.Err())
		all = append(all, fetches.Records()...)
	}
	return all
}

// produced is how many messages the topic has.
func (k *kafka) produced(t *testing.T) (n int64) {
	t.Helper()
	ends, err := k.admin.ListEndOffsets(t.Context(), kafkaTopic)
	require.NoError(t, err)
	ends.Each(func(end kadm.ListedOffset) { n += end.Offset })
	return n
}

// committed is how many messages the group has committed.
func (k *kafka) committed(t *testing.T) (n int64) {
	t.Helper()
	offsets, err := k.admin.FetchOffsets(t.Context(), kafkaGroup)
	if err != nil {
		return 0 // there is no such group yet
	}
	offsets.Each(func(o kadm.OffsetResponse) { n += max(0, o.At) })
	return n
}

// requireAllCommitted waits until the group has committed all that is there.
func (k *kafka) requireAllCommitted(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool { return k.committed(t) == k.produced(t) }, waitLimit, waitTick, "the offsets are committed")
}

// produce writes a message of its own into a partition.
func (k *kafka) produce(t *testing.T, partition int32, value []byte) *kgo.Record {
	t.Helper()
	writer := k.client(t, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	ctx, cancel := context.WithTimeout(t.Context(), waitLimit)
	defer cancel()
	record, err := writer.ProduceSync(ctx, &kgo.Record{Topic: kafkaTopic, Partition: partition, Value: value}).First()
	require.NoError(t, err)
	return record
}

// encoded is one request.
func encoded(all []decision.Decision) plog.Logs {
	logs := plog.NewLogs()
	records := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for i := range all {
		decisionlog.Encode(&all[i], records.AppendEmpty())
	}
	return logs
}
