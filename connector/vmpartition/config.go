package vmpartition

import (
	"errors"
	"fmt"

	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
)

// Config is the user's YAML.
type Config struct {
	// Partitions is how many partitions the topic has. Another number is no harm
	// but for an uneven load.
	Partitions int `mapstructure:"partitions"`
	// Queue keeps decisions until they are passed on, in batches.
	Queue configoptional.Optional[exporterhelper.QueueBatchConfig] `mapstructure:"sending_queue"`
	// Retry says how long to wait after a refusal, and for how long to go on: 0, the
	// default, is for ever.
	Retry configretry.BackOffConfig `mapstructure:"retry_on_failure"`
}

const (
	defaultPartitions = 16
	maxPartitions     = 4096 // far more than a gateway's group would have members for
)

func defaultConfig() *Config {
	c := &Config{
		Partitions: defaultPartitions,
		Queue:      configoptional.Some(exporterhelper.NewDefaultQueueConfig()),
		Retry:      configretry.NewDefaultBackOffConfig(),
	}
	c.Retry.MaxElapsedTime = 0
	return c
}

// Validate returns all that is wrong, each with its key.
func (c *Config) Validate() error {
	var problems []error
	if c.Partitions < 1 || c.Partitions > maxPartitions {
		problems = append(problems, fmt.Errorf("partitions: must be 1 to %d, got %d", maxPartitions, c.Partitions))
	}
	if !c.Queue.HasValue() {
		problems = append(problems, errors.New("sending_queue: must not be disabled"))
	}
	if !c.Retry.Enabled {
		problems = append(problems, errors.New("retry_on_failure::enabled: must be true: without it a refusal would lose decisions"))
	}
	return errors.Join(problems...)
}
