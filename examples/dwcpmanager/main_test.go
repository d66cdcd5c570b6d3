package main

import (
	"bytes"
	"flag"
	"net"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
)

func TestFlagsSayWhatTheFleetDoes(t *testing.T) {
	t.Parallel()
	c, err := parse([]string{"-rate", "5", "-vms", "3", "-links", "wan,dc", "-decisions", "9", "-duration", "1m", "-seed", "42", "-shadow", "0.25"}, nil)
	require.NoError(t, err)
	require.InDelta(t, 5, c.Rate, 0)
	require.Equal(t, 3, c.VMs)
	require.Equal(t, []decision.LinkType{decision.WAN, decision.DC}, c.Links)
	require.Equal(t, 9, c.Decisions)
	require.Equal(t, time.Minute, c.Duration)
	require.EqualValues(t, 42, c.Seed)
	require.InDelta(t, 0.25, c.Shadow, 0)
}

func TestWrongFlagsAreNamed(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	_, err := parse([]string{"-links", "lan"}, &log)
	require.EqualError(t, err, `-links: must be a list of dc, metro, wan, edge, got "lan"`)
	_, err = parse([]string{"dc"}, &log)
	require.EqualError(t, err, `unexpected "dc": there are only flags`)
	_, err = parse([]string{"-help"}, &log)
	require.ErrorIs(t, err, flag.ErrHelp)
	require.Contains(t, log.String(), "-shadow")
}

func TestEndpointsAreReadAsTheRecorderReadsThem(t *testing.T) {
	t.Parallel()
	for endpoint, want := range map[string]string{
		"http://localhost:4317": "localhost:4317", "https://gateway": "gateway:4317", "10.0.0.1:9": "10.0.0.1:9", "gateway": "gateway:4317",
		"http://[::1]:4317": "[::1]:4317", "http://[::1]": "[::1]:4317", "[::1]": "[::1]:4317", "unix:/run/otel.sock": "", "dns:///gateway:4317": "", "http://%": "",
	} {
		got, ok := dialable(endpoint)
		require.Equal(t, want, got, endpoint)
		require.Equal(t, want != "", ok, endpoint)
	}
}

func TestWithoutACollectorNothingIsStarted(t *testing.T) {
	var out, log bytes.Buffer
	t.Setenv("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "")
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
	err := run(t.Context(), nil, &out, &log)
	require.ErrorContains(t, err, "no collector at 127.0.0.1:1 (OTEL_EXPORTER_OTLP_ENDPOINT)")
	require.Empty(t, out.String()+log.String())
}

func TestTheUsersResourceGoesBeforeTheExamples(t *testing.T) {
	t.Setenv(resourceVariable, "deployment.environment.name=staging")
	require.NoError(t, setDefaults())
	require.Equal(t, "deployment.environment.name=staging", os.Getenv(resourceVariable))
	t.Setenv(resourceVariable, "")
	require.NoError(t, setDefaults())
	require.Equal(t, exampleResource, os.Getenv(resourceVariable))
}

func TestACollectorThatListensIsFound(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"+listener.Addr().String())
	t.Setenv("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "")
	require.NoError(t, findCollector(t.Context()))
}
