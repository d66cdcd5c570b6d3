package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/e2e/e2etest"
	"github.com/novacron/dwcp-telemetry/internal/collector"
	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
)

// health is what an address of the health check answers.
type health struct {
	code   int
	Status string
	Error  string
	body   string
}

func askHealth(t *testing.T, address string) (h health) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/?verbose", nil)
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(content, &h), string(content))
	h.code, h.body = response.StatusCode, string(content)
	return h
}

func TestLivenessDoesNotDependOnPostgreSQLAndReadinessDoes(t *testing.T) {
	server, admin, writer := ownServer(t)
	free, err := collector.FreeAddresses(1)
	require.NoError(t, err)
	ready := free[0]
	impatient := filepath.Join(t.TempDir(), "impatient.yaml")
	require.NoError(t, os.WriteFile(impatient, []byte("extensions: {health_check/ready: {component_health: {recovery_duration: 100ms}}}\n"), 0o600))
	p := startOn(t, admin, writer, []string{"DWCP_READY=" + ready}, "deploy/readiness.yaml", impatient,
		"--feature-gates=extension.healthcheck.useComponentStatus")
	require.Eventually(t, func() bool { return askHealth(t, p.Health).Status == "StatusOK" }, waitLimit, waitTick)
	require.Eventually(t, func() bool { return askHealth(t, ready).code == http.StatusOK }, waitLimit, waitTick)

	require.NoError(t, server.Signal(syscall.SIGINT))
	recorder := p.recorder(t)
	all := decisions(50)
	record(t, recorder, all)
	flush(t, recorder)
	require.Eventually(t, func() bool { return askHealth(t, ready).code == http.StatusInternalServerError }, waitLimit, waitTick)
	live := askHealth(t, p.Health)
	require.Equal(t, http.StatusOK, live.code, "a restart would not bring PostgreSQL back")
	require.Equal(t, "StatusRecoverableError", live.Status)
	require.NotEmpty(t, live.Error)
	require.Contains(t, live.body, `"exporter:pgtelemetry":{"healthy":true,"status":"StatusRecoverableError"`)

	require.NoError(t, server.Restart(t.Context()))
	require.Eventually(t, func() bool { return askHealth(t, p.Health).Status == "StatusOK" }, waitLimit, waitTick)
	require.Eventually(t, func() bool { return askHealth(t, ready).code == http.StatusOK }, waitLimit, waitTick)
	conn := pgtest.Connect(t, admin)
	waitReceived(t, conn, len(all))
	require.Equal(t, len(all), queryInt(t, conn, "SELECT count(*) FROM compression_telemetry"))
}

func TestReadinessWithoutItsGateDoesNotStart(t *testing.T) {
	admin := pgtest.Database(t)
	_, err := collector.Start(t.Context(), e2etest.CollectorOptions(t, pgtest.Login(t, admin, "dwcp_writer"), "deploy/readiness.yaml"))
	require.ErrorContains(t, err, "--feature-gates=+extension.healthcheck.useComponentStatus")
}
