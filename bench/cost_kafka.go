package main

import (
	"context"
	"fmt"

	"github.com/novacron/dwcp-telemetry/internal/capacity"
)

// costOfKafka runs the benchmark of a whole chain through Kafka, which needs Java and
// Maven.
func (b *bench) costOfKafka(ctx context.Context, c costs) error {
	output, err := b.goBench(ctx, "./e2e", "^BenchmarkThroughKafka$", "-benchtime", fmt.Sprintf("%dx", b.rows))
	if err != nil {
		return err
	}
	for unit, figure := range map[string]capacity.Figure{
		"agent-µs/op": capacity.KafkaAgentCPU, "gateway-µs/op": capacity.KafkaGatewayCPU,
		"brokers-µs/op": capacity.KafkaBrokersCPU, "KafkaB/op": capacity.KafkaBytes,
	} {
		value, err := benchmarkValue(output, "ThroughKafka/decisions", unit)
		if err != nil {
			return err
		}
		c.add(figure, value)
	}
	return nil
}
