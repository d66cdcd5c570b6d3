package pgtest_test

import (
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func value[T any](t *testing.T, url, sql string) (v T) {
	t.Helper()
	require.NoError(t, pgtest.Connect(t, url).QueryRow(t.Context(), sql).Scan(&v))
	return v
}

const countTables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"

func TestEachTestHasADatabaseOfItsOwn(t *testing.T) {
	t.Parallel()
	for i := range 4 {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			t.Parallel()
			admin := pgtest.Database(t)
			_, err := pgtest.Connect(t, admin).Exec(t.Context(), "CREATE TABLE only_mine ()")
			assert.NoError(t, err)
		})
	}
}

func TestDatabaseIsMigratedAndAnEmptyOneIsNot(t *testing.T) {
	assert.True(t, value[bool](t, pgtest.Database(t),
		"SELECT to_regclass('compression_telemetry') IS NOT NULL"))
	assert.Zero(t, value[int](t, pgtest.EmptyDatabase(t), countTables))
}

func TestDatabaseHasTheTemplatesPrivileges(t *testing.T) {
	assert.True(t, value[bool](t, pgtest.Database(t), `SELECT datacl IS NOT DISTINCT FROM
		(SELECT datacl FROM pg_database WHERE datname = 'dwcp_template')
		FROM pg_database WHERE datname = current_database()`))
}

func TestDatabaseAndLoginAreDroppedAfterTheTest(t *testing.T) {
	var name, login string
	t.Run("user", func(t *testing.T) {
		admin := pgtest.Database(t)
		url := pgtest.Login(t, admin, "dwcp_owner")
		name = value[string](t, admin, "SELECT current_database()::text")
		login = value[string](t, url, "SELECT current_user::text")
		// Owning something and being connected must not keep the login.
		_, err := pgtest.Connect(t, url).Exec(t.Context(), "CREATE TABLE owned ()")
		assert.NoError(t, err)
		forgotten, err := pgx.Connect(t.Context(), url)
		require.NoError(t, err)
		_ = forgotten // left open on purpose
	})
	server := pgtest.Server(t).AdminURL("postgres")
	assert.Zero(t, value[int](t, server, "SELECT count(*) FROM pg_database WHERE datname = '"+name+"'"))
	assert.Zero(t, value[int](t, server, "SELECT count(*) FROM pg_roles WHERE rolname = '"+login+"'"))
}

func TestLoginMayDoWhatItsRoleMayAndNoMore(t *testing.T) {
	admin := pgtest.Database(t)
	one, other := pgtest.Login(t, admin, "dwcp_ml_reader"), pgtest.Login(t, admin, "dwcp_ml_reader")
	assert.NotEqual(t, one, other)
	assert.True(t, value[bool](t, one, "SELECT pg_has_role('dwcp_ml_reader', 'USAGE')"))
	assert.False(t, value[bool](t, one, "SELECT pg_has_role('dwcp_owner', 'USAGE')"))
	_, err := pgtest.Connect(t, one).Exec(t.Context(), "DROP TABLE compression_telemetry")
	assert.ErrorContains(t, err, "42501")
}

func TestURLNamesHostAndPort(t *testing.T) {
	address, err := url.Parse(pgtest.EmptyDatabase(t))
	require.NoError(t, err)
	assert.Equal(t, pgtest.Server(t).SocketDir(), address.Query().Get("host"))
	assert.True(t, strings.HasPrefix(address.Path, "/test_"))
}

func BenchmarkDatabase(b *testing.B) {
	pgtest.Database(b) // the template is not what is measured
	for b.Loop() {
		pgtest.Database(b)
	}
}
