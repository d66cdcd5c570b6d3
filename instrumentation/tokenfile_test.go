package instrumentation

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/otel"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	"github.com/novacron/dwcp-telemetry/internal/certtest"
)

func TestTheTokenIsReadForEachRequestAndNeverTold(t *testing.T) {
	servers := certtest.New(t)
	own := servers.Issue(t, loopback, certtest.Valid()).TLS(t)
	tokens := filepath.Join(t.TempDir(), "tokens")
	certtest.Put(t, tokens, []byte("t0ken-of-yesterday\n"))
	c := startCollector(t, func(call, _ int) (plogotlp.ExportResponse, error) {
		if call == 1 {
			certtest.Put(t, tokens, []byte("  t0ken-of-today as of now\nt0ken-of-yesterday\n"))
			return plogotlp.NewExportResponse(), status.Error(codes.Unauthenticated, "t0ken-of-yesterday is not known")
		}
		return plogotlp.NewExportResponse(), nil
	}, grpc.Creds(credentials.NewServerTLSFromCert(&own)))
	authorities := filepath.Join(t.TempDir(), "ca.crt")
	certtest.Put(t, authorities, servers.PEM)
	sendOver(t, c, map[string]string{"OTEL_EXPORTER_OTLP_CERTIFICATE": authorities, "DWCP_OTLP_TOKEN_FILE": tokens})
	told := &troubles{}
	r := fromEnv(t, WithErrorHandler(told))
	recordSome(r, 1)
	require.NoError(t, r.Shutdown(within(t)))
	require.Len(t, c.decisions(t), 1)
	require.Equal(t, []string{"Bearer t0ken-of-yesterday"}, c.metadata[0].Get("authorization"))
	require.Equal(t, []string{"Bearer t0ken-of-today"}, c.metadata[1].Get("authorization"))
	require.Contains(t, told.text(), "trying again: Unauthenticated: (withheld) is not known")
}

func TestATokenFileThatIsGoneForAWhileLosesNothing(t *testing.T) {
	servers := certtest.New(t)
	own := servers.Issue(t, loopback, certtest.Valid()).TLS(t)
	c := startCollector(t, nil, grpc.Creds(credentials.NewServerTLSFromCert(&own)))
	authorities, tokens := filepath.Join(t.TempDir(), "ca.crt"), filepath.Join(t.TempDir(), "tokens")
	certtest.Put(t, authorities, servers.PEM)
	certtest.Put(t, tokens, []byte("t0ken\n"))
	sendOver(t, c, map[string]string{"OTEL_EXPORTER_OTLP_CERTIFICATE": authorities, "DWCP_OTLP_TOKEN_FILE": tokens})
	told := make(chan error, 1)
	r := fromEnv(t, WithErrorHandler(otel.ErrorHandlerFunc(func(err error) { told <- err })))
	require.NoError(t, os.Remove(tokens))
	recordSome(r, 1)
	require.ErrorContains(t, <-told, "trying again: Unauthenticated: transport: per-RPC creds failed due to error: DWCP_OTLP_TOKEN_FILE: open ")
	require.Empty(t, c.logs())
	certtest.Put(t, tokens, []byte("t0ken\n"))
	require.NoError(t, r.Shutdown(within(t)))
	require.Len(t, c.decisions(t), 1)
}

func TestATokenFileThatCannotServeStopsTheStart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(name, content string) string {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
		return filepath.Join(dir, name)
	}
	good := file("good", "t0ken")
	for want, variables := range map[string]map[string]string{
		"DWCP_OTLP_TOKEN_FILE: open ":                                                    {"DWCP_OTLP_TOKEN_FILE": filepath.Join(dir, "missing")},
		"DWCP_OTLP_TOKEN_FILE: must hold a token":                                        {"DWCP_OTLP_TOKEN_FILE": file("empty", " \n")},
		"DWCP_OTLP_TOKEN_FILE: must hold a token of printable ASCII":                     {"DWCP_OTLP_TOKEN_FILE": file("binary", "t0ken\x00\xff")},
		"DWCP_OTLP_TOKEN_FILE: must not be set with an endpoint in plaintext":            {"DWCP_OTLP_TOKEN_FILE": good, "OTEL_EXPORTER_OTLP_ENDPOINT": "http://gateway"},
		"DWCP_OTLP_TOKEN_FILE: must not be set together with an authorization header in": {"DWCP_OTLP_TOKEN_FILE": good, "OTEL_EXPORTER_OTLP_HEADERS": "Authorization=Bearer%20t0ken"},
	} {
		if variables["OTEL_EXPORTER_OTLP_ENDPOINT"] == "" {
			variables["OTEL_EXPORTER_OTLP_ENDPOINT"] = "https://gateway"
		}
		env := environmentOf(variables)
		env.senderConfig()
		require.Len(t, env.problems, 1, want)
		require.ErrorContains(t, env.problems[0], want)
		require.NotContains(t, env.problems[0].Error(), "t0ken")
	}
}
