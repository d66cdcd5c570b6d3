package listen

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
)

func retrieve(t *testing.T, uri string) (any, error) {
	t.Helper()
	p := NewFactory().Create(confmap.ProviderSettings{})
	retrieved, err := p.Retrieve(t.Context(), uri, nil)
	if err != nil {
		return nil, err
	}
	return retrieved.AsRaw()
}

func TestTheDefaultHoldsWhereTheVariableIsNotSet(t *testing.T) {
	t.Setenv("DWCP_METRICS", "")
	got, err := retrieve(t, "listen:DWCP_METRICS:-127.0.0.1:8888")
	require.NoError(t, err)
	require.Equal(t, map[string]any{"host": "127.0.0.1", "port": 8888}, got)
}

func TestTheVariableWins(t *testing.T) {
	t.Setenv("DWCP_METRICS", "[::1]:9000")
	got, err := retrieve(t, "listen:DWCP_METRICS:-127.0.0.1:8888")
	require.NoError(t, err)
	require.Equal(t, map[string]any{"host": "::1", "port": 9000}, got)
}

func TestAWrongAddressNamesTheVariable(t *testing.T) {
	for address, rule := range map[string]string{
		"8888":            "DWCP_METRICS: must be host:port",
		"localhost:99999": "DWCP_METRICS: the port must be 0..65535",
	} {
		t.Setenv("DWCP_METRICS", address)
		_, err := retrieve(t, "listen:DWCP_METRICS:-127.0.0.1:8888")
		require.ErrorContains(t, err, rule)
	}
}
