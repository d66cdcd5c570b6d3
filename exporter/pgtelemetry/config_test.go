package pgtelemetry

import (
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"

	"github.com/novacron/dwcp-telemetry/internal/partitions"
)

func loadConfig(t *testing.T, name string) *Config {
	t.Helper()
	all, err := confmaptest.LoadConf("testdata/config.yaml")
	require.NoError(t, err)
	sub, err := all.Sub(name)
	require.NoError(t, err)
	config := newDefaultConfig()
	require.NoError(t, sub.Unmarshal(config))
	return config
}

func TestValidConfigs(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"pgtelemetry", "pgtelemetry/all"} {
		require.NoError(t, confmap.Validate(loadConfig(t, name)), name)
	}
	all := loadConfig(t, "pgtelemetry/all")
	require.Equal(t, 720*time.Hour, all.Retention)
	require.Equal(t, partitions.Settings{Period: partitions.Week, Ahead: 4, Retention: 720 * time.Hour}, all.settings())
	require.Equal(t, 2, all.QueueConfig.Get().NumConsumers)
	require.True(t, all.QueueConfig.Get().Batch.HasValue(), "the default's batching stays")
}

func TestTheDefaultNeverGivesUpAndNeverDrops(t *testing.T) {
	t.Parallel()
	config := loadConfig(t, "pgtelemetry")
	require.Zero(t, config.BackOffConfig.MaxElapsedTime)
	require.True(t, config.QueueConfig.Get().BlockOnOverflow)
	require.Equal(t, time.Minute, config.TimeoutConfig.Timeout)
}

func TestEveryWrongKeyIsNamedAtOnceAndTheDSNIsNotShown(t *testing.T) {
	t.Parallel()
	err := confmap.Validate(loadConfig(t, "pgtelemetry/wrong"))
	require.Error(t, err)
	for _, want := range []string{
		"dsn: must be a PostgreSQL URL",
		"connection_max_lifetime: must be 1s..24h0m0s, got 0s",
		"connection_max_idle_time: must be 1s..24h0m0s, got 48h0m0s",
		"statement_timeout: must be 0s..24h0m0s, got -1s",
		"lock_timeout: must be 0s..24h0m0s, got -1s",
		"application_name: must be at most 63 bytes without NUL, got \"a name of more than",
		"connections: must be at least 5, one more than sending_queue::num_consumers, got 1",
		"partitions::ahead: must be 1..11 months, got 0",
		"maintenance::interval: must be 1s..24h0m0s, got 0s",
		"maintenance::dsn: must be a PostgreSQL URL",
		"retention: must be 24h..78840h (9 years), got 1h0m0s",
		"allowed_skew: must be > 0 and at most 720h, got 0s",
		"timeout: must be > 0, got 0s",
		"retry_on_failure::max_elapsed_time: must be 0, for anything else drops decisions, got 5m0s",
	} {
		require.ErrorContains(t, err, want)
	}
	require.NotContains(t, err.Error(), "sekret")
	require.ErrorContains(t, confmap.Validate(loadConfig(t, "pgtelemetry/wrong_period")), `partitions::period: must be month, week or day, got "year"`)
	require.ErrorContains(t, confmap.Validate(loadConfig(t, "pgtelemetry/no_dsn")),
		"dsn: must be set (in the default configuration by DWCP_DATABASE_URL), or PGHOST or PGSERVICE in the environment")
}

func TestRetryAndWaitForResultGoTogetherInOneWayOnly(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		wait, retry bool
		want        string
	}{
		{false, true, ""},
		{true, false, ""},
		{false, false, "retry_on_failure::enabled: must be true unless"},
		{true, true, "retry_on_failure::enabled: must be false with"},
	} {
		config := loadConfig(t, "pgtelemetry")
		config.QueueConfig.Get().WaitForResult, config.BackOffConfig.Enabled = c.wait, c.retry
		err := confmap.Validate(config)
		if c.want == "" {
			require.NoError(t, err)
		} else {
			require.ErrorContains(t, err, c.want)
		}
	}
}

func TestTheDSNIsNotPrinted(t *testing.T) {
	t.Parallel()
	require.NotContains(t, fmt.Sprintf("%v %+v", loadConfig(t, "pgtelemetry"), *loadConfig(t, "pgtelemetry/all")), "sekret")
}

func TestThePoolNeedsNoPreparedStatements(t *testing.T) {
	t.Parallel()
	pool, err := loadConfig(t, "pgtelemetry/all").pool()
	require.NoError(t, err)
	require.Equal(t, pgx.QueryExecModeExec, pool.ConnConfig.DefaultQueryExecMode)
	require.Equal(t, int32(3), pool.MaxConns)
}
