package pgtelemetry

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/configopaque"

	"github.com/novacron/dwcp-telemetry/internal/certtest"
)

func TestNoConnectionIsMadeWithLessThanTheLeastSSLMode(t *testing.T) {
	ca := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(ca, certtest.New(t).PEM, 0o600))
	for _, name := range []string{"PGSSLMODE", "PGSSLROOTCERT", "PGSERVICE", "PGHOST"} {
		t.Setenv(name, "")
	}
	const url = "postgres://collector:" + password + "@db/telemetry"
	for _, c := range []struct {
		least   SSLMode
		dsn     string
		environ map[string]string
		refused bool
	}{
		{least: sslVerifyFull, dsn: url + "?sslmode=verify-full&sslrootcert=" + ca},
		{least: sslVerifyFull, dsn: url + "?sslrootcert=system"},
		{least: sslVerifyFull, dsn: url, environ: map[string]string{"PGSSLMODE": "verify-full"}},
		{least: sslVerifyFull, dsn: "host=/run/postgresql sslmode=disable"},
		{least: sslVerifyCA, dsn: url + "?sslmode=verify-ca&sslrootcert=" + ca},
		{least: sslRequire, dsn: url + "?sslmode=require"},
		{dsn: url + "?sslmode=disable"},
		{least: sslVerifyFull, dsn: url + "?sslmode=disable", refused: true},
		{least: sslVerifyFull, dsn: url, refused: true}, // prefer
		{least: sslVerifyFull, dsn: url + "?sslmode=require", refused: true},
		{least: sslVerifyFull, dsn: url + "?sslmode=verify-ca&sslrootcert=" + ca, refused: true},
		{least: sslVerifyFull, dsn: "host=/run/postgresql,db", refused: true},
		{least: sslVerifyFull, dsn: url, environ: map[string]string{"PGSSLMODE": "allow"}, refused: true},
		{least: sslVerifyCA, dsn: url + "?sslmode=require", refused: true},
		{least: sslRequire, dsn: url + "?sslmode=prefer", refused: true},
	} {
		for name, value := range c.environ {
			t.Setenv(name, value)
		}
		config := newDefaultConfig()
		config.MinSSLMode, config.DSN = c.least, configopaque.String(c.dsn)
		other := newDefaultConfig()
		other.MinSSLMode, other.DSN, other.Maintenance.DSN = c.least, "host=/run/postgresql", config.DSN
		for key, config := range map[string]*Config{"dsn": config, "maintenance::dsn": other} {
			err := config.Validate()
			if !c.refused {
				require.NoError(t, err, "%s: at least %q: %s", key, c.least, c.dsn)
				continue
			}
			require.ErrorContains(t, err, key+": sslmode: must be at least "+string(c.least), "%s %v", c.dsn, c.environ)
			require.NotContains(t, err.Error(), password)
		}
		for name := range c.environ {
			t.Setenv(name, "")
		}
	}
}

func TestTheLeastSSLModeIsAWordOfLibpqs(t *testing.T) {
	t.Parallel()
	config := newDefaultConfig()
	config.DSN, config.MinSSLMode = "host=/run/postgresql", "prefer"
	require.EqualError(t, config.Validate(), `min_sslmode: must be require, verify-ca or verify-full, got "prefer"`)
}

// A service file may change while the collector runs.
func TestTheLeastSSLModeHoldsForEachNewConnection(t *testing.T) {
	services := filepath.Join(t.TempDir(), "services")
	write := func(sslmode string) {
		require.NoError(t, os.WriteFile(services, []byte("[telemetry]\nhost=db\nsslmode="+sslmode+"\n"), 0o600))
	}
	write("verify-full")
	t.Setenv("PGSERVICEFILE", services)
	config := newDefaultConfig()
	config.DSN, config.MinSSLMode = "service=telemetry", sslVerifyFull
	pool, err := config.pool()
	require.NoError(t, err)
	require.NoError(t, pool.BeforeConnect(t.Context(), pool.ConnConfig))
	write("require")
	require.ErrorContains(t, pool.BeforeConnect(t.Context(), pool.ConnConfig), "dsn: sslmode: must be at least verify-full")
}
