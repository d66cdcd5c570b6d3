package e2etest

import (
	"context"
	"sync"
	"testing"

	"github.com/novacron/dwcp-telemetry/internal/collector"
)

var builtWithKafka = sync.OnceValues(func() (string, error) {
	root, err := collector.Root()
	if err != nil {
		return "", err
	}
	return collector.WithKafka.Build(context.Background(), root)
})

// KafkaAgentOptions are those of an agent that writes to these brokers, plaintext.
func KafkaAgentOptions(t testing.TB, brokers string, overlays ...string) collector.Options {
	t.Helper()
	return kafkaOptions(t, "deploy/kafka/agent.yaml", overlays, brokers, "DWCP_VM_ID_KEY="+VMIDKey)
}

// KafkaGatewayOptions are those of a gateway that reads from these brokers and writes to
// dsn.
func KafkaGatewayOptions(t testing.TB, brokers, dsn string, overlays ...string) collector.Options {
	t.Helper()
	return kafkaOptions(t, "deploy/kafka/gateway.yaml", overlays, brokers, "DWCP_DATABASE_URL="+dsn)
}

func kafkaOptions(t testing.TB, config string, overlays []string, brokers, env string) collector.Options {
	t.Helper()
	o := options(t, builtWithKafka, append([]string{config}, overlays...))
	o.Env = []string{"DWCP_KAFKA_BROKERS=" + brokers, "DWCP_KAFKA_INSECURE=true", env}
	return o
}
