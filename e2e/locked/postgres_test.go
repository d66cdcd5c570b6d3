package locked

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/e2e/e2etest"
	"github.com/novacron/dwcp-telemetry/internal/certtest"
	"github.com/novacron/dwcp-telemetry/internal/localpg"
	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
)

// database is a PostgreSQL that lets the user collector in over TLS alone, with
// a certificate.
type database struct {
	server *localpg.Server
	admin  *pgx.Conn
	url    string // of the admin
	port   int
}

func startDatabase(t *testing.T, ca *certtest.Authority, own certtest.Pair) *database {
	t.Helper()
	free, err := net.Listen("tcp", loopback+":0")
	require.NoError(t, err)
	d := &database{port: free.Addr().(*net.TCPAddr).Port}
	require.NoError(t, free.Close())
	d.server, d.url = e2etest.OwnServer(t, localpg.Config{Port: d.port})
	d.admin = pgtest.Connect(t, d.url)
	d.put(t, "pg_hba.conf", []byte("local all all trust\nhostssl dwcp collector 127.0.0.1/32 cert\n"))
	for _, statement := range []string{
		"CREATE ROLE collector LOGIN IN ROLE dwcp_writer",
		"ALTER SYSTEM SET ssl = on", "ALTER SYSTEM SET ssl_cert_file = 'server.crt'",
		"ALTER SYSTEM SET ssl_key_file = 'server.key'", "ALTER SYSTEM SET ssl_ca_file = 'ca.crt'",
	} {
		_, err := d.admin.Exec(t.Context(), statement)
		require.NoError(t, err)
	}
	d.use(t, ca, own)
	return d
}

// use gives the server another certificate and the CA of its clients.
func (d *database) use(t *testing.T, ca *certtest.Authority, own certtest.Pair) {
	t.Helper()
	d.put(t, "ca.crt", ca.PEM)
	d.put(t, "server.crt", own.Certificate)
	d.put(t, "server.key", own.Key)
	_, err := d.admin.Exec(t.Context(), "SELECT pg_reload_conf()")
	require.NoError(t, err)
}

// put writes a file whose owner is the server's user, not ours where we are root.
func (d *database) put(t *testing.T, name string, content []byte) {
	t.Helper()
	path := filepath.Join(d.server.DataDir(), name)
	require.NoError(t, os.WriteFile(path+".new", content, 0o600))
	info, err := os.Stat(d.server.DataDir())
	require.NoError(t, err)
	owner := info.Sys().(*syscall.Stat_t)
	require.NoError(t, os.Chown(path+".new", int(owner.Uid), int(owner.Gid)))
	require.NoError(t, os.Rename(path+".new", path))
}

// clientSerial is that of the certificate the collector's newest connection came
// with; 0 where it has none.
func (d *database) clientSerial(t *testing.T) int {
	t.Helper()
	return number(t, d.admin, `SELECT coalesce((SELECT client_serial::int FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
		WHERE usename = 'collector' AND ssl ORDER BY backend_start DESC LIMIT 1), 0)`)
}

// dsn is the collector's, with files of the site.
func (d *database) dsn(s *site) string {
	return fmt.Sprintf("host=127.0.0.1 port=%d dbname=dwcp user=collector sslmode=verify-full sslrootcert=%s sslcert=%s sslkey=%s",
		d.port, s.path("database-ca.crt"), s.path("collector.crt"), s.path("collector.key"))
}
