package e2e

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
)

// An installation that has PG… variables for all its programs sets no URL.
func TestTheDefaultConfigurationTakesLibpqsVariables(t *testing.T) {
	admin := pgtest.Database(t)
	login, err := url.Parse(pgtest.Login(t, admin, "dwcp_writer"))
	require.NoError(t, err)
	p := startOn(t, admin, "", []string{
		"PGHOST=" + login.Query().Get("host"), "PGPORT=" + login.Query().Get("port"),
		"PGUSER=" + login.User.Username(), "PGDATABASE=" + login.Path[1:], "PGAPPNAME=from the environment",
	})
	recorder := p.recorder(t)
	record(t, recorder, decisions(5))
	flush(t, recorder)
	conn := pgtest.Connect(t, admin)
	waitReceived(t, conn, 5)
	require.Positive(t, queryInt(t, conn, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'from the environment'"))
}
