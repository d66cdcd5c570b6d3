package e2e

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
)

// DWCP_MAINTENANCE_URL is all it takes; without it nothing expires, and the log
// says so.
func TestWithAMaintainersURLTheCollectorKeepsTheRetention(t *testing.T) {
	admin := pgtest.Database(t)
	conn := pgtest.Connect(t, admin)
	_, err := conn.Exec(t.Context(), "SELECT ensure_partition(now() - interval '200 days')")
	require.NoError(t, err)
	expired := func() int {
		return queryInt(t, conn, "SELECT count(*)::int FROM compression_telemetry_partitions() WHERE upper < now() - interval '90 days'")
	}
	writer := pgtest.Login(t, admin, "dwcp_writer")
	without := startOn(t, admin, writer, nil)
	record(t, without.recorder(t), decisions(20))
	waitReceived(t, conn, 20)
	require.Contains(t, without.Log(), "maintenance::dsn is empty")
	require.Equal(t, 1, expired())

	with := startOn(t, admin, writer, []string{"DWCP_MAINTENANCE_URL=" + pgtest.Login(t, admin, "dwcp_maintainer")})
	require.Eventually(t, func() bool { return expired() == 0 }, waitLimit, waitTick)
	require.Contains(t, with.Log(), "this collector takes out what is older than the retention")
	require.Equal(t, 20, queryInt(t, conn, "SELECT count(*)::int FROM compression_telemetry"))
}
