package pgtelemetry

import (
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/novacron/dwcp-telemetry/internal/partitions"
)

// Config is the user's YAML.
type Config struct {
	// DSN is the PostgreSQL URL or keyword=value string. What it leaves out comes
	// from where libpq looks: PG… variables, service and password files. It may be
	// empty where PGHOST or PGSERVICE is set.
	DSN configopaque.String `mapstructure:"dsn"`
	// MinSSLMode is the least sslmode of libpq's that DSN and Maintenance::DSN may
	// ask for over a network: require, verify-ca or verify-full. A Unix socket
	// needs none. Default: none.
	MinSSLMode SSLMode `mapstructure:"min_sslmode"`
	// Connections bounds the pool: at least one more than the queue's
	// consumers, so that maintenance never waits for writers. Default 6.
	Connections int32 `mapstructure:"connections"`
	// ConnectionMaxLifetime is how old a connection may get, and so how long a
	// rotated certificate or password may still be in use. Default 5 min.
	ConnectionMaxLifetime time.Duration `mapstructure:"connection_max_lifetime"`
	// ConnectionMaxIdleTime is how long one may be unused. Default 5 min.
	ConnectionMaxIdleTime time.Duration `mapstructure:"connection_max_idle_time"`
	// ApplicationName is what PostgreSQL calls the collector. Default: what the
	// DSN or PGAPPNAME says, else otelcol-dwcp.
	ApplicationName string `mapstructure:"application_name"`
	// StatementTimeout bounds a statement of a batch on the server. Default 0: as
	// long as the attempt, so that none goes on after it.
	StatementTimeout time.Duration `mapstructure:"statement_timeout"`
	// LockTimeout bounds the wait for a lock. Default 30 s; 0 is no limit.
	LockTimeout time.Duration `mapstructure:"lock_timeout"`
	// Partitions says how partitions are made.
	Partitions PartitionsConfig `mapstructure:"partitions"`
	// Retention is how old a decision may be when it is written, and how old it
	// gets where Maintenance is set. Default 90 days.
	Retention time.Duration `mapstructure:"retention"`
	// Maintenance says who takes out what is older than the retention.
	Maintenance MaintenanceConfig `mapstructure:"maintenance"`
	// AllowedSkew is how far in the future a decision may lie. Default 24 h.
	AllowedSkew time.Duration `mapstructure:"allowed_skew"`
	// AllowRawVMID lets VM ids in that are no pseudonyms.
	AllowRawVMID bool `mapstructure:"allow_raw_vm_id"`
	// ReleaseLogs lets the memory of what came go while it waits for the commit:
	// for receivers that answer an error to their sender, as otlp does. One that
	// itself sends the same logs again would send nothing.
	ReleaseLogs bool `mapstructure:"release_logs"`

	// TimeoutConfig bounds one attempt to write a batch. Default 60 s.
	TimeoutConfig exporterhelper.TimeoutConfig `mapstructure:",squash"`
	// QueueConfig is the queue and the batches.
	QueueConfig configoptional.Optional[exporterhelper.QueueBatchConfig] `mapstructure:"sending_queue"`
	// BackOffConfig says when to try again. By default it never gives up.
	BackOffConfig configretry.BackOffConfig `mapstructure:"retry_on_failure"`
}

// PartitionsConfig says how partitions are made.
type PartitionsConfig struct {
	// Period is how much a partition holds: month, week or day. Default month.
	Period partitions.Period `mapstructure:"period"`
	// Ahead is how many periods after the current one have a partition. Default 2.
	Ahead int `mapstructure:"ahead"`
}

// MaintenanceConfig says who takes out what is older than the retention.
type MaintenanceConfig struct {
	// DSN is as the exporter's, of a login with the role dwcp_maintainer, and leads
	// to PostgreSQL itself, not to a pooler. Empty: this collector makes
	// partitions, and nothing is ever taken out by it.
	DSN configopaque.String `mapstructure:"dsn"`
	// Interval is the time between two rounds. Default 10 min.
	Interval time.Duration `mapstructure:"interval"`
}

const (
	defaultTimeout     = time.Minute
	batchRows          = 5000
	queueRows          = 1_000_000
	consumers          = 4
	connectionLifetime = 5 * time.Minute
	// Below the timeout of an attempt, so that the error names the lock.
	defaultLockTimeout = 30 * time.Second
)

func newDefaultConfig() *Config {
	queue := exporterhelper.NewDefaultQueueConfig()
	queue.Sizer = exporterhelper.RequestSizerTypeItems
	queue.QueueSize = queueRows
	queue.NumConsumers = consumers
	queue.BlockOnOverflow = true
	batch := exporterhelper.NewDefaultBatchConfig()
	batch.Sizer = exporterhelper.RequestSizerTypeItems
	batch.MinSize, batch.MaxSize = batchRows, batchRows
	batch.FlushTimeout = 200 * time.Millisecond
	queue.Batch = configoptional.Some(batch)

	retry := configretry.NewDefaultBackOffConfig()
	retry.InitialInterval = time.Second
	retry.MaxElapsedTime = 0 // anything else deletes the batch in the end

	keep := partitions.Defaults()
	return &Config{
		Connections:           consumers + 2,
		ConnectionMaxLifetime: connectionLifetime,
		ConnectionMaxIdleTime: connectionLifetime,
		LockTimeout:           defaultLockTimeout,

		Partitions:    PartitionsConfig{Period: keep.Period, Ahead: keep.Ahead},
		Retention:     keep.Retention,
		Maintenance:   MaintenanceConfig{Interval: 10 * time.Minute},
		AllowedSkew:   24 * time.Hour,
		TimeoutConfig: exporterhelper.TimeoutConfig{Timeout: defaultTimeout},
		QueueConfig:   configoptional.Some(queue),
		BackOffConfig: retry,
	}
}

// Validate returns all that is wrong, each with its key.
func (c *Config) Validate() error {
	var problems []error
	must := func(ok bool, key, rule string, got any) {
		if !ok {
			problems = append(problems, fmt.Errorf("%s: must be %s, got %v", key, rule, got))
		}
	}
	problems = append(problems, c.validateConnection()...)
	problems = append(problems, c.validateQueue()...)
	problems = append(problems, c.validateMaintenance()...)
	must(c.AllowedSkew > 0 && c.AllowedSkew <= 30*24*time.Hour, "allowed_skew", "> 0 and at most 720h", c.AllowedSkew)
	must(c.TimeoutConfig.Timeout > 0, "timeout", "> 0", c.TimeoutConfig.Timeout)
	must(!c.BackOffConfig.Enabled || c.BackOffConfig.MaxElapsedTime == 0,
		"retry_on_failure::max_elapsed_time", "0, for anything else drops decisions", c.BackOffConfig.MaxElapsedTime)
	return errors.Join(problems...)
}

// settings are what the table is kept by.
func (c *Config) settings() partitions.Settings {
	return partitions.Settings{Period: c.Partitions.Period, Ahead: c.Partitions.Ahead, Retention: c.Retention}
}

// validateMaintenance checks partitions, retention and who keeps them.
func (c *Config) validateMaintenance() (problems []error) {
	for _, p := range c.settings().Problems() {
		prefix := "partitions::"
		if p.Setting == "retention" {
			prefix = ""
		}
		problems = append(problems, fmt.Errorf("%s%w", prefix, p))
	}
	if c.Maintenance.Interval < time.Second || c.Maintenance.Interval > maxDuration {
		problems = append(problems, fmt.Errorf("maintenance::interval: must be %s..%s, got %s", time.Second, maxDuration, c.Maintenance.Interval))
	}
	if c.Maintenance.DSN != "" {
		if _, err := c.maintainer(); err != nil {
			problems = append(problems, err)
		}
	}
	return problems
}

// validateQueue holds queue, retry and pool to each other.
func (c *Config) validateQueue() (problems []error) {
	least := int32(2)
	if c.QueueConfig.HasValue() {
		queue := c.QueueConfig.Get()
		least = int32(queue.NumConsumers) + 1
		switch {
		case queue.WaitForResult && c.BackOffConfig.Enabled:
			problems = append(problems, errors.New("retry_on_failure::enabled: must be false with sending_queue::wait_for_result, for the sender tries again; got true"))
		case !queue.WaitForResult && !c.BackOffConfig.Enabled:
			problems = append(problems, errors.New("retry_on_failure::enabled: must be true unless sending_queue::wait_for_result is, for a failed batch would leave the queue; got false"))
		}
	}
	if c.Connections < least {
		problems = append(problems, fmt.Errorf("connections: must be at least %d, one more than sending_queue::num_consumers, got %d", least, c.Connections))
	}
	return problems
}
