package instrumentation

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/metadata"
)

func environmentOf(variables map[string]string) *environment {
	return &environment{lookup: func(name string) string { return variables[name] }}
}

func TestEndpointsAreReadAsTheSpecificationSays(t *testing.T) {
	t.Parallel()
	const general, own, insecure = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "OTEL_EXPORTER_OTLP_INSECURE"
	for name, c := range map[string]struct {
		env       map[string]string
		target    string
		plaintext bool
	}{
		"nothing set":                 {nil, "dns:///localhost:4317", true},
		"http":                        {map[string]string{general: "http://gateway:5317"}, "dns:///gateway:5317", true},
		"https":                       {map[string]string{general: "https://gateway:5317/"}, "dns:///gateway:5317", false},
		"https in spite of INSECURE":  {map[string]string{general: "https://gateway:5317", insecure: "true"}, "dns:///gateway:5317", false},
		"http in spite of INSECURE":   {map[string]string{general: "http://gateway:5317", insecure: "false"}, "dns:///gateway:5317", true},
		"no port":                     {map[string]string{general: "http://gateway"}, "dns:///gateway:4317", true},
		"no scheme":                   {map[string]string{general: "gateway:5317"}, "dns:///gateway:5317", false},
		"no scheme, insecure":         {map[string]string{general: "gateway:5317", insecure: "TRUE"}, "dns:///gateway:5317", true},
		"no scheme, no port":          {map[string]string{general: "gateway"}, "dns:///gateway:4317", false},
		"IPv6":                        {map[string]string{general: "http://[::1]:5317"}, "dns:///[::1]:5317", true},
		"IPv6, no scheme, no port":    {map[string]string{general: "[::1]"}, "dns:///[::1]:4317", false},
		"signal-specific wins":        {map[string]string{general: "http://a:1", own: "https://b:2"}, "dns:///b:2", false},
		"empty counts as unset":       {map[string]string{general: "http://a:1", own: " "}, "dns:///a:1", true},
		"signal-specific INSECURE":    {map[string]string{general: "a:1", insecure: "false", "OTEL_EXPORTER_OTLP_LOGS_INSECURE": "true"}, "dns:///a:1", true},
		"unix socket":                 {map[string]string{general: "unix:/run/otel.sock", insecure: "true"}, "unix:/run/otel.sock", true},
		"gRPC's own resolver":         {map[string]string{general: "dns:///gateway:5317"}, "dns:///gateway:5317", false},
		"host named as a gRPC scheme": {map[string]string{general: "http://unix:5317"}, "dns:///unix:5317", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := environmentOf(c.env)
			got := env.senderConfig()
			require.Empty(t, env.problems)
			assert.Equal(t, c.target, got.target)
			assert.Equal(t, c.plaintext, got.tls == nil)
		})
	}
}

func TestSettingsAreRead(t *testing.T) {
	t.Parallel()
	env := environmentOf(map[string]string{
		"OTEL_EXPORTER_OTLP_PROTOCOL":         "http/protobuf",
		"OTEL_EXPORTER_OTLP_LOGS_PROTOCOL":    "grpc",
		"OTEL_EXPORTER_OTLP_TIMEOUT":          "2500",
		"OTEL_EXPORTER_OTLP_COMPRESSION":      "gzip",
		"OTEL_EXPORTER_OTLP_LOGS_COMPRESSION": "none",
		"OTEL_EXPORTER_OTLP_HEADERS":          "x-not=used",
		"OTEL_EXPORTER_OTLP_LOGS_HEADERS":     "Authorization=Bearer%20abc%3D, x-tenant = dwcp ,",
	})
	c := env.senderConfig()
	require.Empty(t, env.problems)
	assert.Equal(t, 2500*time.Millisecond, c.timeout)
	assert.False(t, c.gzip)
	assert.Equal(t, metadata.Pairs("authorization", "Bearer abc=", "x-tenant", "dwcp"), c.headers)

	c = environmentOf(nil).senderConfig()
	assert.Equal(t, 10*time.Second, c.timeout)
	assert.Empty(t, c.headers)
	assert.True(t, environmentOf(map[string]string{"OTEL_EXPORTER_OTLP_COMPRESSION": "gzip"}).senderConfig().gzip)
}

func TestEachWrongValueIsNamedWithItsRule(t *testing.T) {
	t.Parallel()
	const endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT"
	where := endpoint + ": " + errEndpoint.Error()
	for _, c := range []struct{ name, value, want string }{
		{endpoint, "ftp://gateway:1", where + `, got "ftp://gateway:1"`},
		{endpoint, "http://gateway:1/v1/logs", where + `, got "http://gateway:1/v1/logs"`},
		{endpoint, "http://", where + `, got "http://"`},
		{endpoint, "http://gateway:99999", where + `, got "http://gateway:99999"`},
		{endpoint, "gate way", where + `, got "gate way"`},
		{endpoint, "http://user:secret@gateway:1", where},
		{endpoint, "user:secret@gateway:1", where},
		{"OTEL_EXPORTER_OTLP_PROTOCOL", "http/json", `OTEL_EXPORTER_OTLP_PROTOCOL: must be grpc, the only protocol the Recorder speaks, got "http/json" (OTEL_EXPORTER_OTLP_LOGS_PROTOCOL=grpc is for it alone)`},
		{"OTEL_EXPORTER_OTLP_INSECURE", "yes", `OTEL_EXPORTER_OTLP_INSECURE: must be true or false, got "yes"`},
		{"OTEL_EXPORTER_OTLP_TIMEOUT", "10s", `OTEL_EXPORTER_OTLP_TIMEOUT: must be a whole number of milliseconds, at least 1, got "10s"`},
		{"OTEL_EXPORTER_OTLP_LOGS_TIMEOUT", "0", `OTEL_EXPORTER_OTLP_LOGS_TIMEOUT: must be a whole number of milliseconds, at least 1, got "0"`},
		{"OTEL_EXPORTER_OTLP_COMPRESSION", "zstd", `OTEL_EXPORTER_OTLP_COMPRESSION: must be gzip or none, got "zstd"`},
		{"OTEL_EXPORTER_OTLP_HEADERS", "a=b,secret", "OTEL_EXPORTER_OTLP_HEADERS: entry 2: must be key=value (values are not shown)"},
		{"OTEL_EXPORTER_OTLP_HEADERS", "secret key=b", "OTEL_EXPORTER_OTLP_HEADERS: entry 1: the key must be of a-z, 0-9, '-', '_' and '.', and not begin with grpc- (not shown)"},
		{"OTEL_EXPORTER_OTLP_HEADERS", "sécret=b", "OTEL_EXPORTER_OTLP_HEADERS: entry 1: the key must be of a-z, 0-9, '-', '_' and '.', and not begin with grpc- (not shown)"},
		{"OTEL_EXPORTER_OTLP_HEADERS", "grpc-timeout=secret", "OTEL_EXPORTER_OTLP_HEADERS: entry 1: the key must be of a-z, 0-9, '-', '_' and '.', and not begin with grpc- (not shown)"},
		{"OTEL_EXPORTER_OTLP_HEADERS", "a=secret%0a", "OTEL_EXPORTER_OTLP_HEADERS: entry 1: the value must be printable ASCII, percent-encoded (not shown)"},
		{"OTEL_EXPORTER_OTLP_HEADERS", "a=secret%zz", "OTEL_EXPORTER_OTLP_HEADERS: entry 1: the value must be printable ASCII, percent-encoded (not shown)"},
	} {
		env := environmentOf(map[string]string{c.name: c.value})
		env.senderConfig()
		if assert.Len(t, env.problems, 1, c.value) {
			assert.EqualError(t, env.problems[0], c.want)
			assert.False(t, strings.Contains(c.value, "secret") && strings.Contains(env.problems[0].Error(), "secret"))
		}
	}
}

func TestRatiosAndSwitchesAreRead(t *testing.T) {
	t.Parallel()
	const ratio, enabled = "DWCP_TELEMETRY_SAMPLING_RATIO", "DWCP_TELEMETRY_ENABLED"
	for value, want := range map[string]float64{"": 1, "0": 0, "0.25": 0.25, "1": 1, " 1e-3 ": 0.001} { //nolint:gocritic // spaces around a value are part of the case
		env := environmentOf(map[string]string{ratio: value})
		assert.Equal(t, want, env.ratio(ratio, 1), value)
		assert.Empty(t, env.problems)
	}
	for _, value := range []string{"-0.1", "1.01", "NaN", "Inf", "half", "50%"} {
		env := environmentOf(map[string]string{ratio: value})
		assert.EqualValues(t, 1, env.ratio(ratio, 1))
		require.Len(t, env.problems, 1)
		assert.EqualError(t, env.problems[0], ratio+`: must be 0..1, got "`+value+`"`)
	}
	for value, want := range map[string]bool{"": true, "true": true, "False": false} {
		assert.Equal(t, want, environmentOf(map[string]string{enabled: value}).boolean(enabled, true), value)
	}
}
