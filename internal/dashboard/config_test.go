package dashboard

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEachWrongSettingIsNamed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		change func(*Config)
		want   string
	}{
		{func(c *Config) { c.Listen = "8890" }, `listen: must be host:port, got "8890"`},
		{func(c *Config) { c.Listen = ":8890" }, "listen: :8890 is not loopback: others can reach it, so it needs a token (token-file, or the environment's DWCP_DASHBOARD_TOKEN)"},
		{func(c *Config) { c.Listen = "0.0.0.0:8890" }, "listen: 0.0.0.0:8890 is not loopback"},
		{func(c *Config) { c.Listen = "192.0.2.1:8890" }, "listen: 192.0.2.1:8890 is not loopback"},
		{func(c *Config) { c.Listen = "telemetry.example:8890" }, "listen: telemetry.example:8890 is not loopback"},
		{func(c *Config) { c.Listen = "[::]:8890" }, "listen: [::]:8890 is not loopback"},
		{func(c *Config) { c.Token = "sesame" }, "token: must have at least 32 characters, got 6; `openssl rand -hex 32` makes one"},
		{func(c *Config) { c.Hosts = []string{"http://telemetry.example"} }, `host: must be a name without scheme and port, got "http://telemetry.example"`},
		{func(c *Config) { c.Hosts = []string{""} }, `host: must be a name without scheme and port, got ""`},
		{func(c *Config) { c.Metrics = []string{"127.0.0.1:8888"} }, "metrics: is no URL (http://127.0.0.1:8888/metrics)"},
		{func(c *Config) { c.Metrics = []string{"ftp://me:sesame@gw/metrics"} }, `metrics: must be a URL like http://127.0.0.1:8888/metrics, got "ftp://me:xxxxx@gw/metrics"`},
		{func(c *Config) { c.CertFile = "cert.pem" }, "tls-cert: goes together with tls-key"},
		{func(c *Config) { c.KeyFile = "key.pem" }, "tls-cert: goes together with tls-key"},
		{func(c *Config) { c.Interval = time.Millisecond }, "interval: must be at least 200ms, got 1ms"},
	} {
		config := testConfig(away)
		c.change(&config)
		problems := config.Problems()
		if assert.Len(t, problems, 1, c.want) {
			assert.True(t, strings.HasPrefix(problems[0].Error(), c.want), "%s, want %s", problems[0], c.want)
			assert.NotContains(t, problems[0].Error(), "sesame")
		}
		_, err := Listen(config)
		assert.ErrorContains(t, err, c.want)
	}
}

func TestAllThatIsWrongIsToldAtOnce(t *testing.T) {
	t.Parallel()
	config := Config{Listen: "here", CertFile: "cert.pem", Token: "short"}
	require.Len(t, config.Problems(), 4)
}

func TestLoopbackNeedsNoTokenAndElsewhereOneWillDo(t *testing.T) {
	t.Parallel()
	for _, listen := range []string{"127.0.0.1:0", "127.1.2.3:8890", "localhost:8890", "[::1]:8890"} {
		config := testConfig(away)
		config.Listen = listen
		require.NoError(t, errors.Join(config.Problems()...), listen)
	}
	config := withToken(testConfig(away))
	config.Listen = "0.0.0.0:8890"
	require.Empty(t, config.Problems())
}

func TestAPortThatIsTakenIsToldSo(t *testing.T) {
	t.Parallel()
	first := serve(t, testConfig(away))
	config := testConfig(away)
	config.Listen = first.listener.Addr().String()
	_, err := Listen(config)
	require.ErrorContains(t, err, "listen: ")
	require.ErrorContains(t, err, "address already in use")
}

func TestTheURLIsOneThatABrowserHereCanOpen(t *testing.T) {
	t.Parallel()
	require.Regexp(t, `^http://127\.0\.0\.1:\d+/$`, serve(t, testConfig(away)).URL())
	config := withToken(testConfig(away))
	config.Listen = "0.0.0.0:0"
	require.Regexp(t, `^http://localhost:\d+/$`, serve(t, config).URL())
}
