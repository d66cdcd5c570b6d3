package collector

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
)

// envParent makes the test program a parent of a collector: it starts the one
// that the variable describes, writes its process id and waits to be killed.
const envParent = "DWCP_TEST_COLLECTOR_PARENT"

func TestMain(m *testing.M) {
	if described := os.Getenv(envParent); described != "" {
		beParent(described)
	}
	pgtest.Main(m)
}

func beParent(described string) {
	var o Options
	if err := json.Unmarshal([]byte(described), &o); err != nil {
		panic(err)
	}
	p, err := Start(context.Background(), o)
	if err != nil {
		panic(err)
	}
	fmt.Println(p.PID())
	select {}
}

const someKey = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

// options are those of a collector that writes into a database of its own, as
// the role that it is for.
func options(t *testing.T, env ...string) Options {
	t.Helper()
	binary, err := built()
	require.NoError(t, err)
	root, err := Root()
	require.NoError(t, err)
	for _, name := range []string{"DWCP_DATABASE_URL", "DWCP_VM_ID_KEY", "DWCP_VM_ID_KEY_FILE"} {
		t.Setenv(name, "")
	}
	return Options{Binary: binary, Configs: []string{filepath.Join(root, "otelcol-config.yaml")}, Dir: filepath.Join(t.TempDir(), "run"), Env: env}
}

func startCollector(t *testing.T, o Options) *Process {
	t.Helper()
	p, err := Start(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Stop()) })
	return p
}

func writerEnv(t *testing.T) []string {
	t.Helper()
	return []string{"DWCP_DATABASE_URL=" + pgtest.Login(t, pgtest.Database(t), "dwcp_writer"), "DWCP_VM_ID_KEY=" + someKey}
}

func get(t *testing.T, url string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, http.StatusOK, response.StatusCode)
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return string(body)
}
