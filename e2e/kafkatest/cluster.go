package kafkatest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/novacron/dwcp-telemetry/internal/collector"
	"github.com/novacron/dwcp-telemetry/internal/needtest"
)

// Cluster is some brokers that replicate each other's partitions.
type Cluster struct {
	Brokers []*Broker
	Admin   *kadm.Client
}

// startLimit is generous: three JVMs may have to share one core.
const startLimit = 3 * time.Minute

// Start starts n brokers and waits until they know each other. The cluster ends
// with the test.
func Start(t testing.TB, n int) *Cluster {
	t.Helper()
	c := newCluster(t, n)
	for _, b := range c.Brokers {
		b.listeners = fmt.Sprintf(`listeners=PLAINTEXT://%s,CONTROLLER://%s
advertised.listeners=PLAINTEXT://%[1]s
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
`, b.address, b.controller)
	}
	c.start(t)
	return c
}

func newCluster(t testing.TB, n int) *Cluster {
	t.Helper()
	for _, program := range []string{"java", "mvn"} {
		needtest.Program(t, "Kafka's brokers need it: apt-get install openjdk-17-jre-headless maven", program)
	}
	lib, err := jars(t.Context())
	require.NoError(t, err)
	free, err := collector.FreeAddresses(2 * n)
	require.NoError(t, err)
	c := &Cluster{}
	for i := range n {
		c.Brokers = append(c.Brokers, &Broker{id: i + 1, lib: lib, dir: t.TempDir(), address: free[2*i], controller: free[2*i+1]})
	}
	return c
}

func (c *Cluster) start(t testing.TB) {
	t.Helper()
	c.format(t)
	for _, b := range c.Brokers {
		b.Start(t)
		t.Cleanup(func() {
			b.Kill()
			if t.Failed() {
				t.Logf("broker %d: %s", b.id, b.log())
			}
		})
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(c.Addresses(), ",")...))
	require.NoError(t, err)
	t.Cleanup(client.Close)
	c.Admin = kadm.NewClient(client)
	c.WaitAll(t)
}

// Addresses are those of all brokers, with commas between them.
func (c *Cluster) Addresses() string {
	all := make([]string, len(c.Brokers))
	for i, b := range c.Brokers {
		all[i] = b.address
	}
	return strings.Join(all, ",")
}

// WaitAll waits until all brokers have joined.
func (c *Cluster) WaitAll(t testing.TB) {
	t.Helper()
	require.Eventually(t, func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		for _, b := range c.Brokers {
			require.NoError(t, b.ended())
		}
		known, err := c.Admin.ListBrokers(ctx)
		return err == nil && len(known) == len(c.Brokers)
	}, startLimit, 100*time.Millisecond, "all brokers are there")
}

// WaitInSync waits until every replica of a topic has all of its partition, so that
// another broker may die.
func (c *Cluster) WaitInSync(t testing.TB, topic string) {
	t.Helper()
	require.Eventually(t, func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		topics, err := c.Admin.ListTopics(ctx, topic)
		if err != nil || len(topics) != 1 {
			return false
		}
		behind := 0
		topics.EachPartition(func(p kadm.PartitionDetail) {
			if len(p.ISR) < len(c.Brokers) {
				behind++
			}
		})
		return behind == 0
	}, startLimit, 100*time.Millisecond, "all replicas are in sync")
}

// format writes each broker's configuration and prepares its folder.
func (c *Cluster) format(t testing.TB) {
	t.Helper()
	voters := make([]string, len(c.Brokers))
	for i, b := range c.Brokers {
		voters[i] = fmt.Sprintf("%d@%s", b.id, b.controller)
	}
	results := make([]error, len(c.Brokers))
	var formatting sync.WaitGroup
	for i, b := range c.Brokers {
		require.NoError(t, os.WriteFile(b.configFile(), []byte(b.config(strings.Join(voters, ","), len(c.Brokers))), 0o600))
		formatting.Go(func() {
			output, err := exec.CommandContext(t.Context(), "java", b.arguments("kafka.tools.StorageTool", "format", "-t", clusterID, "-c", b.configFile())...).CombinedOutput()
			if err != nil {
				results[i] = fmt.Errorf("format broker %d: %w\n%s", b.id, err, output)
			}
		})
	}
	formatting.Wait()
	for _, err := range results {
		require.NoError(t, err)
	}
}

const clusterID = "4L6g3nShT-eMCtK--X86sw" // any 16 bytes in base64
