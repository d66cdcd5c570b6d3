package instrumentation

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPendingAndShadowSettingsAreRead(t *testing.T) {
	t.Parallel()
	c := defaultConfig()
	env := environmentOf(map[string]string{
		"DWCP_TELEMETRY_PENDING_TIMEOUT":          "90s",
		"DWCP_TELEMETRY_SHADOW_RATIO":             "0.25",
		"DWCP_TELEMETRY_SHADOW_CPU_PERCENT":       "0.5",
		"DWCP_TELEMETRY_SHADOW_BYTES_PER_SECOND":  "1000000",
		"DWCP_TELEMETRY_SHADOW_MAX_PAYLOAD_BYTES": "4096",
	})
	env.config(&c)
	require.Empty(t, env.problems)
	require.Equal(t, 90*time.Second, c.pendingTimeout)
	require.Equal(t, 0.25, c.shadowRatio)
	require.Equal(t, ShadowBudget{CPUPercent: 0.5, BytesPerSecond: 1000000, MaxPayloadBytes: 4096}, c.shadowBudget)

	c.apply([]Option{WithShadowBudget(ShadowBudget{CPUPercent: 3})})
	require.Equal(t, ShadowBudget{CPUPercent: 3, BytesPerSecond: 1000000, MaxPayloadBytes: 4096}, c.shadowBudget, "fields that are 0 stay")
}

func TestWrongPendingAndShadowSettingsAreTold(t *testing.T) {
	t.Parallel()
	c := defaultConfig()
	env := environmentOf(map[string]string{
		"DWCP_TELEMETRY_PENDING_TIMEOUT":          "90",
		"DWCP_TELEMETRY_SHADOW_RATIO":             "half",
		"DWCP_TELEMETRY_SHADOW_CPU_PERCENT":       "NaN",
		"DWCP_TELEMETRY_SHADOW_BYTES_PER_SECOND":  "0",
		"DWCP_TELEMETRY_SHADOW_MAX_PAYLOAD_BYTES": "64MiB",
	})
	env.config(&c)
	require.EqualError(t, errors.Join(env.problems...), strings.Join([]string{
		`DWCP_TELEMETRY_PENDING_TIMEOUT: must be a time above 0 with its unit, as 90s or 5m, got "90"`,
		`DWCP_TELEMETRY_SHADOW_RATIO: must be 0..1, got "half"`,
		`DWCP_TELEMETRY_SHADOW_CPU_PERCENT: must be above 0 and at most 100, got "NaN"`,
		`DWCP_TELEMETRY_SHADOW_BYTES_PER_SECOND: must be a whole number of bytes, at least 1, got "0"`,
		`DWCP_TELEMETRY_SHADOW_MAX_PAYLOAD_BYTES: must be a whole number of bytes, at least 1, got "64MiB"`,
	}, "\n"))
}
