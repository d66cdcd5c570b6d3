package e2etest

import (
	"context"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/collector"
	"github.com/novacron/dwcp-telemetry/internal/localpg"
	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
	"github.com/novacron/dwcp-telemetry/migrations"
)

// VMIDKey is the key of the pseudonyms, as DWCP_VM_ID_KEY takes it.
const VMIDKey = "6b65796b65796b65796b65796b65796b65796b65796b65796b65796b65796b65"

var built = sync.OnceValues(func() (string, error) {
	root, err := collector.Root()
	if err != nil {
		return "", err
	}
	return collector.Build(context.Background(), root)
})

// CollectorOptions are those of the built collector, in a folder of its own,
// that writes to dsn with the default configuration and overlays: names of files
// below the project's folder, or absolute paths.
func CollectorOptions(t testing.TB, dsn string, overlays ...string) collector.Options {
	t.Helper()
	o := options(t, built, overlays)
	o.Env = []string{"DWCP_DATABASE_URL=" + dsn, "DWCP_VM_ID_KEY=" + VMIDKey}
	return o
}

func options(t testing.TB, build func() (string, error), overlays []string) collector.Options {
	t.Helper()
	binary, err := build()
	require.NoError(t, err)
	root, err := collector.Root()
	require.NoError(t, err)
	o := collector.Options{Binary: binary, Dir: t.TempDir()}
	for _, config := range append([]string{"otelcol-config.yaml"}, overlays...) {
		if !filepath.IsAbs(config) {
			config = filepath.Join(root, config)
		}
		o.Configs = append(o.Configs, config)
	}
	return o
}

// OwnServer is a PostgreSQL that a test may stop and start, with a migrated
// database; admin is the database's URL for its owner. cfg may ask for more.
func OwnServer(t testing.TB, cfg localpg.Config) (server *localpg.Server, admin string) {
	t.Helper()
	source, err := localpg.SourceFromEnv()
	require.NoError(t, err)
	cfg.FastUnsafe, cfg.Source = true, source
	server, err = localpg.Start(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Stop()) })
	require.NoError(t, server.CreateDatabase(t.Context(), "dwcp"))
	admin = server.AdminURL("dwcp")
	_, err = migrations.Up(t.Context(), admin)
	require.NoError(t, err)
	return server, admin
}

// Writer is the URL of a login with the collector's role.
func Writer(t testing.TB, admin string) string {
	t.Helper()
	return pgtest.Login(t, admin, "dwcp_writer")
}
