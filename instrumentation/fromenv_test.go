package instrumentation

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/metric/noop"
	sdklog "go.opentelemetry.io/otel/sdk/log"
)

// setEnvironment leaves no other variable of ours or OpenTelemetry's set.
func setEnvironment(t *testing.T, variables map[string]string) {
	t.Helper()
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, "OTEL_") || strings.HasPrefix(name, "DWCP_") {
			t.Setenv(name, "")
		}
	}
	for name, value := range variables {
		t.Setenv(name, value)
	}
}

func fromEnv(t *testing.T, opts ...Option) *Recorder {
	t.Helper()
	r, err := FromEnv(context.Background(), append([]Option{WithMeterProvider(noop.NewMeterProvider())}, opts...)...)
	require.NoError(t, err)
	t.Cleanup(func() { giveUp(r) })
	return r
}

func TestFromEnvSendsWhereTheEnvironmentSays(t *testing.T) {
	c := startCollector(t, nil)
	setEnvironment(t, map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT": "http://" + c.address, "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
		"OTEL_EXPORTER_OTLP_HEADERS": "x-tenant=dwcp", "OTEL_SERVICE_NAME": "dwcp-host",
		"OTEL_RESOURCE_ATTRIBUTES":      "deployment.environment.name=staging,service.version=2.1,rack=7",
		"DWCP_TELEMETRY_SAMPLING_RATIO": "1",
	})
	r := fromEnv(t)
	recordSome(r, 2)
	require.NoError(t, r.Shutdown(within(t)))

	got := c.decisions(t)
	require.Len(t, got, 2)
	assert.Equal(t, "staging", got[0].Environment.Value)
	assert.Equal(t, "2.1", got[0].EmitterVersion.Value)
	resource := c.logs()[0].ResourceLogs().At(0).Resource().Attributes().AsRaw()
	assert.Equal(t, "dwcp-host", resource["service.name"])
	assert.Equal(t, "7", resource["rack"])
	assert.Equal(t, []string{"dwcp"}, c.metadata[0].Get("x-tenant"))
	assert.Equal(t, []string{"gzip"}, c.metadata[0].Get("grpc-accept-encoding"))
}

func TestOptionsGoBeforeTheEnvironment(t *testing.T) {
	setEnvironment(t, map[string]string{"DWCP_TELEMETRY_ENABLED": "false", "DWCP_TELEMETRY_SAMPLING_RATIO": "0.5"})
	r := fromEnv(t)
	assert.False(t, r.Enabled())
	assert.Equal(t, 0.5, r.SamplingRatio())
	r = fromEnv(t, WithEnabled(true), WithSamplingRatio(0.25))
	assert.True(t, r.Enabled())
	assert.Equal(t, 0.25, r.SamplingRatio())
}

func TestDisabledSDKRecordsNothingAndLooksAtNothingElse(t *testing.T) {
	setEnvironment(t, map[string]string{"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"})
	r, err := FromEnv(context.Background())
	require.NoError(t, err)
	r.SetEnabled(true)
	recordSome(r, 3)
	require.False(t, r.Enabled())
	require.Equal(t, Stats{}, r.Stats())
	require.NoError(t, r.Shutdown(context.Background()))
}

func TestAllThatIsWrongIsToldInOneError(t *testing.T) {
	setEnvironment(t, map[string]string{
		"OTEL_SDK_DISABLED": "maybe", "DWCP_TELEMETRY_ENABLED": "1", "DWCP_TELEMETRY_SAMPLING_RATIO": "2",
		"OTEL_EXPORTER_OTLP_ENDPOINT": "https://gateway:4317", "OTEL_EXPORTER_OTLP_TIMEOUT": "soon",
		"OTEL_EXPORTER_OTLP_CERTIFICATE": "testdata/none.pem", "OTEL_EXPORTER_OTLP_CLIENT_KEY": "testdata/key.pem",
		"OTEL_RESOURCE_ATTRIBUTES": "broken,deployment.environment.name=an-environment-of-a-long-name",
	})
	provider := sdklog.NewLoggerProvider()
	r, err := FromEnv(context.Background(), WithLoggerProvider(provider), WithRingCapacity(-1))
	require.Nil(t, r)
	require.EqualError(t, err, strings.Join([]string{
		`recorder from the environment: OTEL_SDK_DISABLED: must be true or false, got "maybe"`,
		`DWCP_TELEMETRY_ENABLED: must be true or false, got "1"`,
		`DWCP_TELEMETRY_SAMPLING_RATIO: must be 0..1, got "2"`,
		`OTEL_EXPORTER_OTLP_TIMEOUT: must be a whole number of milliseconds, at least 1, got "soon"`,
		`OTEL_EXPORTER_OTLP_CERTIFICATE: read the certificates of trusted authorities: open testdata/none.pem: no such file or directory`,
		`OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: must be set, because OTEL_EXPORTER_OTLP_CLIENT_KEY is`,
		`OTEL_RESOURCE_ATTRIBUTES: error detecting resource: partial resource: missing value: [broken]`,
		`OTEL_RESOURCE_ATTRIBUTES: deployment.environment.name: must be 1..20 characters of UTF-8 without NUL, got an-environment-of-a-long-name`,
		`WithLoggerProvider: is for New; FromEnv sends by itself`,
		`WithRingCapacity: must be 1..1048576, got -1`,
	}, "\n"))
}
