package required

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
)

func retrieve(t *testing.T, uri string) (any, error) {
	t.Helper()
	p := NewFactory().Create(confmap.ProviderSettings{})
	require.Equal(t, "required", p.Scheme())
	retrieved, err := p.Retrieve(t.Context(), uri, nil)
	if err != nil {
		return nil, err
	}
	return retrieved.AsRaw()
}

func TestTheVariableIsTakenAsText(t *testing.T) {
	for _, value := range []string{"/etc/dwcp/ca.pem", "true", "0123", "[a]"} {
		t.Setenv("DWCP_TLS_CLIENT_CA", value)
		got, err := retrieve(t, "required:DWCP_TLS_CLIENT_CA")
		require.NoError(t, err)
		require.Equal(t, value, got)
	}
}

func TestAVariableThatIsMissingOrEmptyStopsTheStart(t *testing.T) {
	for _, value := range []string{"", " "} {
		t.Setenv("DWCP_TLS_CLIENT_CA", value)
		_, err := retrieve(t, "required:DWCP_TLS_CLIENT_CA")
		require.EqualError(t, err, "DWCP_TLS_CLIENT_CA: must be set in the environment, for the configuration names it as required")
	}
	_, err := retrieve(t, "required:DWCP_TEST_IS_NEVER_SET")
	require.ErrorContains(t, err, "DWCP_TEST_IS_NEVER_SET: must be set")
}
