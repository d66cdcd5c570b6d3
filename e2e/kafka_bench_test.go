package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/e2e/e2etest"
	"github.com/novacron/dwcp-telemetry/e2e/kafkatest"
	"github.com/novacron/dwcp-telemetry/internal/collector"
	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
)

// What a decision costs on its way through an agent, three brokers and a gateway, all on
// this machine: CPU at each, bytes in Kafka, decisions per second.
//
//	go test ./e2e -run '^$' -bench ThroughKafka -benchtime 100000x
func BenchmarkThroughKafka(b *testing.B) {
	c := newKafkaChain(b)
	b.Run("decisions", func(b *testing.B) {
		requests := requestsOf(b.N)
		before, size, had := c.cpu(b), c.topicBytes(b), c.written(b)
		b.ResetTimer()
		c.send(b, requests)
		require.Eventually(b, func() bool { return c.written(b) >= had+b.N }, 10*time.Minute, waitTick)
		b.StopTimer()
		after := c.cpu(b)
		for station := range before {
			b.ReportMetric((after[station]-before[station])*1e6/float64(b.N), station+"-µs/op")
		}
		b.ReportMetric(float64(c.topicBytes(b)-size)/float64(b.N), "KafkaB/op")
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "decisions/s")
	})
}

// kafkaChain is an agent, brokers, a gateway and a database.
type kafkaChain struct {
	cluster        *kafkatest.Cluster
	agent, gateway *collector.Process
	conn           *pgx.Conn
}

func newKafkaChain(b *testing.B) *kafkaChain {
	b.Helper()
	c := &kafkaChain{cluster: kafkatest.Start(b, 3)}
	two := "2"
	created, err := c.cluster.Admin.CreateTopic(b.Context(), kafkaPartitions, 3, map[string]*string{"min.insync.replicas": &two}, kafkaTopic)
	require.NoError(b, err)
	require.NoError(b, created.Err)
	admin := pgtest.Database(b)
	c.conn = pgtest.Connect(b, admin)
	start := func(o collector.Options) *collector.Process {
		p, err := collector.Start(b.Context(), o)
		require.NoError(b, err)
		b.Cleanup(func() { require.NoError(b, p.Stop()) })
		return p
	}
	c.gateway = start(e2etest.KafkaGatewayOptions(b, c.cluster.Addresses(), pgtest.Login(b, admin, "dwcp_writer")))
	c.agent = start(e2etest.KafkaAgentOptions(b, c.cluster.Addresses()))
	return c
}

// requestsOf are n decisions in requests as large as a Recorder's.
func requestsOf(n int) (all []plogotlp.ExportRequest) {
	random, now := rand.New(rand.NewPCG(1, 2)), time.Now()
	for done := 0; done < n; {
		part := make([]decision.Decision, min(512, n-done))
		for i := range part {
			part[i] = e2etest.Decision(random, now, done+i)
		}
		all, done = append(all, plogotlp.NewExportRequestFromLogs(encoded(part))), done+len(part)
	}
	return all
}

// send has four requests under way, as a Recorder has.
func (c *kafkaChain) send(b *testing.B, requests []plogotlp.ExportRequest) {
	b.Helper()
	conn, err := grpc.NewClient(c.agent.GRPC, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(b, err)
	defer func() { _ = conn.Close() }()
	next := make(chan plogotlp.ExportRequest, len(requests))
	for _, request := range requests {
		next <- request
	}
	close(next)
	failed := make([]error, 4)
	var senders sync.WaitGroup
	for i := range failed {
		senders.Go(func() {
			for request := range next {
				if _, err := plogotlp.NewGRPCClient(conn).Export(b.Context(), request); err != nil {
					failed[i] = err
				}
			}
		})
	}
	senders.Wait()
	for _, err := range failed {
		require.NoError(b, err)
	}
}

func (c *kafkaChain) written(b *testing.B) (n int) {
	b.Helper()
	require.NoError(b, c.conn.QueryRow(b.Context(), "SELECT coalesce(sum(written), 0) FROM compression_telemetry_batches").Scan(&n))
	return n
}

// topicBytes is how much one replica of the topic takes on disk.
func (c *kafkaChain) topicBytes(b *testing.B) (size int64) {
	b.Helper()
	dirs, err := c.cluster.Admin.DescribeAllLogDirs(b.Context(), nil)
	require.NoError(b, err)
	dirs.Each(func(dir kadm.DescribedLogDir) {
		dir.Topics.Each(func(p kadm.DescribedLogDirPartition) {
			if p.Topic == kafkaTopic {
				size += p.Size
			}
		})
	})
	return size / int64(len(c.cluster.Brokers))
}

// cpu is the seconds that each station has used.
func (c *kafkaChain) cpu(b *testing.B) map[string]float64 {
	b.Helper()
	used := map[string]float64{"agent": cpuSeconds(b, c.agent.PID()), "gateway": cpuSeconds(b, c.gateway.PID())}
	for _, broker := range c.cluster.Brokers {
		used["brokers"] += cpuSeconds(b, broker.PID())
	}
	return used
}

// cpuSeconds reads what the kernel has counted, in hundredths of a second.
func cpuSeconds(b *testing.B, pid int) float64 {
	b.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Skipf("this system does not say what a process has used: %v", err)
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(after)
	sum := 0.0
	for _, field := range fields[11:13] { // user and system
		ticks, err := strconv.ParseFloat(field, 64)
		require.NoError(b, err)
		sum += ticks / 100
	}
	return sum
}
