package kafkatest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
)

func TestWhatIsAcknowledgedByAllOutlivesABroker(t *testing.T) {
	c := Start(t, 3)
	factor := "2"
	_, err := c.Admin.CreateTopic(t.Context(), 1, 3, map[string]*string{"min.insync.replicas": &factor}, "topic")
	require.NoError(t, err)
	client, err := kgo.NewClient(kgo.SeedBrokers(c.Brokers[0].address, c.Brokers[1].address, c.Brokers[2].address),
		kgo.ConsumeTopics("topic"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	require.NoError(t, err)
	defer client.Close()
	_, err = client.ProduceSync(t.Context(), &kgo.Record{Topic: "topic", Value: []byte("kept")}).First()
	require.NoError(t, err)
	topics, err := c.Admin.ListTopics(t.Context(), "topic")
	require.NoError(t, err)
	leader := c.Brokers[topics["topic"].Partitions[0].Leader-1]
	leader.Kill()
	fetched := client.PollFetches(t.Context())
	require.NoError(t, fetched.Err())
	require.Equal(t, "kept", string(fetched.Records()[0].Value))
	leader.Start(t)
	c.WaitAll(t)
	c.WaitInSync(t, "topic")
}

func TestAFileThatIsNotThePinnedOneIsNotRun(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.ErrorContains(t, verify(dir), "verify Kafka: open")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "HdrHistogram-2.2.2.jar"), []byte("something else"), 0o600))
	require.ErrorContains(t, verify(dir), "HdrHistogram-2.2.2.jar must be ")
}
