package migrations_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/localpg"
	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
	"github.com/novacron/dwcp-telemetry/migrations"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func TestUpAppliesEveryMigrationOnce(t *testing.T) {
	t.Parallel()
	url := pgtest.EmptyDatabase(t)
	before, err := migrations.Status(t.Context(), url)
	require.NoError(t, err)
	require.NotEmpty(t, before)
	for _, m := range before {
		require.False(t, m.Applied, m.Name)
	}
	applied, err := migrations.Up(t.Context(), url)
	require.NoError(t, err)
	require.Len(t, applied, len(before))
	again, err := migrations.Up(t.Context(), url)
	require.NoError(t, err)
	require.Empty(t, again)
	after, err := migrations.Status(t.Context(), url)
	require.NoError(t, err)
	for i, m := range after {
		if i > 0 {
			require.Greater(t, m.Version, after[i-1].Version)
		}
		require.True(t, m.Applied, m.Name)
	}
}

func TestManyMayMigrateAtOnce(t *testing.T) {
	t.Parallel()
	url := pgtest.EmptyDatabase(t)
	var all sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		all.Go(func() { _, errs[i] = migrations.Up(t.Context(), url) })
	}
	all.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
}

// A login that is no superuser must be able to migrate: managed services give
// no other. On a server of its own, for the first to migrate makes the roles.
func TestALoginThatMayCreateRolesCanMigrate(t *testing.T) {
	t.Parallel()
	source, err := localpg.SourceFromEnv()
	require.NoError(t, err)
	server, err := localpg.Start(t.Context(), localpg.Config{Source: source, FastUnsafe: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Stop()) })
	admin := pgtest.Connect(t, server.AdminURL("postgres"))
	for _, statement := range []string{"CREATE ROLE dba LOGIN CREATEROLE", "CREATE DATABASE theirs OWNER dba"} {
		_, err = admin.Exec(t.Context(), statement)
		require.NoError(t, err)
	}
	_, err = migrations.Up(t.Context(), server.URL("theirs", "dba"))
	require.NoError(t, err)
	require.NoError(t, admin.Close(t.Context()))
}

func TestASchemaOfTheLoginsOwnNameChangesNothing(t *testing.T) {
	t.Parallel()
	url := pgtest.EmptyDatabase(t)
	admin := pgtest.Connect(t, url)
	_, err := admin.Exec(t.Context(), "CREATE SCHEMA AUTHORIZATION CURRENT_USER")
	require.NoError(t, err)
	_, err = migrations.Up(t.Context(), url)
	require.NoError(t, err)
	var there bool
	require.NoError(t, admin.QueryRow(t.Context(), "SELECT to_regclass('public.compression_telemetry') IS NOT NULL").Scan(&there))
	require.True(t, there)
}

// A writer who may create functions must not get them run by the one that runs
// as dwcp_owner.
func TestEnsurePartitionCallsNothingThatAWriterMade(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	admin := pgtest.Connect(t, url)
	_, err := admin.Exec(t.Context(), "GRANT CREATE ON SCHEMA public TO PUBLIC") // as before PostgreSQL 15
	require.NoError(t, err)
	writer := pgtest.Connect(t, pgtest.Login(t, url, "dwcp_writer"))
	for _, function := range []string{
		"hashtextextended(text, integer) RETURNS bigint",
		"format(text, text, text, timestamptz, timestamptz) RETURNS text",
	} {
		_, err = writer.Exec(t.Context(), "CREATE FUNCTION public."+function+" LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'called as %', current_user; END $$")
		require.NoError(t, err)
	}
	_, err = writer.Exec(t.Context(), "SELECT public.ensure_partition(now())")
	require.NoError(t, err)
	_, err = admin.Exec(t.Context(), "DROP OWNED BY "+pgx.Identifier{writer.Config().User}.Sanitize())
	require.NoError(t, err)
}

func TestADSNThatCannotBeReadIsNotRepeated(t *testing.T) {
	t.Parallel()
	_, err := migrations.Up(t.Context(), "postgres://u:sekret@host:port/x")
	require.ErrorContains(t, err, "the database URL is not one that PostgreSQL understands")
	require.NotContains(t, err.Error(), "sekret")
}

func TestNobodyElseMayReadOrWrite(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	for role, allowed := range map[string][]string{
		"dwcp_writer": {
			"SELECT count(*) FROM compression_telemetry",
			"SELECT ensure_partition(now())",
			"SELECT nextval('compression_telemetry_id_seq')",
			"CREATE TEMPORARY TABLE t ()",
			"SELECT count(*) FROM compression_telemetry_batches",
			"SELECT count(*) FROM compression_telemetry_rejected",
		},
		"dwcp_ml_reader": {
			"SELECT count(*) FROM compression_telemetry_ml",
			"SELECT count(*) FROM compression_telemetry_batches",
		},
		"dwcp_maintainer": {
			"SELECT ensure_partition(now())",
			"DELETE FROM compression_telemetry_rejected",
		},
		"pg_read_all_settings": nil, // anybody
	} {
		conn := pgtest.Connect(t, pgtest.Login(t, url, role))
		for _, statement := range allowed {
			_, err := conn.Exec(t.Context(), statement)
			require.NoError(t, err, "%s as %s", statement, role)
		}
		forbidden := []string{
			"DELETE FROM compression_telemetry",
			"UPDATE compression_telemetry SET region = 'x'",
			"TRUNCATE compression_telemetry",
			"DROP TABLE compression_telemetry",
			"CREATE TABLE public.mine ()",
			"UPDATE compression_telemetry_batches SET written = 0",
			"DELETE FROM goose_db_version",
		}
		if role != "dwcp_writer" {
			forbidden = append(forbidden,
				"SELECT vm_id FROM compression_telemetry",
				"INSERT INTO compression_telemetry_batches DEFAULT VALUES",
				"INSERT INTO compression_telemetry DEFAULT VALUES")
		}
		if role == "pg_read_all_settings" {
			forbidden = append(forbidden, "SELECT ensure_partition(now())", "SELECT 1 FROM compression_telemetry_ml",
				"SELECT 1 FROM compression_telemetry_rejected", "SELECT 1 FROM compression_telemetry_batches",
				"SELECT 1 FROM goose_db_version")
		}
		for _, statement := range forbidden {
			_, err := conn.Exec(t.Context(), statement)
			require.ErrorContains(t, err, "42501", "%s as %s", statement, role)
		}
	}
}

// Whoever writes, keeps or reads can see whether the schema is the program's.
func TestEachRoleMayAskWhatIsApplied(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	want, err := migrations.Status(t.Context(), url)
	require.NoError(t, err)
	for _, role := range []string{"dwcp_writer", "dwcp_maintainer", "dwcp_ml_reader"} {
		found, err := migrations.Status(t.Context(), pgtest.Login(t, url, role))
		require.NoError(t, err, role)
		require.Equal(t, want, found, role)
	}
}

func TestPartitionsAreMadeOnceAlsoByManyAtOnce(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	writer := pgtest.Login(t, url, "dwcp_writer")
	var all sync.WaitGroup
	for range 6 {
		conn := pgtest.Connect(t, writer)
		all.Go(func() {
			for month := range 12 {
				var name string
				err := conn.QueryRow(t.Context(), "SELECT ensure_partition(now() - make_interval(months => $1))", month).Scan(&name)
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	var partitions, withKey int
	admin := pgtest.Connect(t, url)
	require.NoError(t, admin.QueryRow(t.Context(), `SELECT count(*), count(*) FILTER (WHERE (SELECT count(*) FROM pg_index i WHERE i.indrelid = inhrelid) = 2)
		FROM pg_inherits WHERE inhparent = 'compression_telemetry'::regclass`).Scan(&partitions, &withKey))
	require.Equal(t, 12, partitions)
	require.Equal(t, 12, withKey, "each has the parent's two indexes and no more")
}

func TestAPartitionCoversItsMonthInUTC(t *testing.T) {
	t.Parallel()
	conn := pgtest.Connect(t, pgtest.Database(t))
	_, err := conn.Exec(t.Context(), "SET timezone = 'America/Los_Angeles'")
	require.NoError(t, err)
	var year int
	require.NoError(t, conn.QueryRow(t.Context(), "SELECT extract(year FROM now())::int").Scan(&year))
	last := time.Date(year-1, 3, 31, 23, 59, 59, 999999000, time.UTC)
	var name, bounds string
	require.NoError(t, conn.QueryRow(t.Context(), "SELECT ensure_partition($1)", last).Scan(&name))
	require.Equal(t, "compression_telemetry_"+last.Format("200601"), name)
	_, err = conn.Exec(t.Context(), "SET timezone = 'UTC'")
	require.NoError(t, err)
	require.NoError(t, conn.QueryRow(t.Context(), "SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE relname = $1", name).Scan(&bounds))
	require.Equal(t, "FOR VALUES FROM ('"+last.Format("2006")+"-03-01 00:00:00+00') TO ('"+last.Format("2006")+"-04-01 00:00:00+00')", bounds)
}

func TestPartitionsFarAwayAreRefused(t *testing.T) {
	t.Parallel()
	conn := pgtest.Connect(t, pgtest.Database(t))
	for _, moment := range []string{"'1970-01-01'", "now() + interval '2 years'", "NULL"} {
		_, err := conn.Exec(t.Context(), "SELECT ensure_partition("+moment+")")
		require.ErrorContains(t, err, "must lie between 10 years ago and 1 year ahead", moment)
	}
}

// A partition is attached while writers hold the table open: nobody waits.
func TestMakingAPartitionDoesNotWaitForOpenWriters(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	open, other := pgtest.Connect(t, url), pgtest.Connect(t, url)
	tx, err := open.Begin(t.Context())
	require.NoError(t, err)
	defer func() { _ = tx.Rollback(context.Background()) }()
	_, err = tx.Exec(t.Context(), "LOCK TABLE compression_telemetry IN ROW EXCLUSIVE MODE") // what INSERT and COPY take
	require.NoError(t, err)
	_, err = other.Exec(t.Context(), "SET lock_timeout = '2s'")
	require.NoError(t, err)
	_, err = other.Exec(t.Context(), "SELECT ensure_partition(now())")
	require.NoError(t, err)
}

// A maintainer acts as the owner where it says so, and never by the way.
func TestOnlyAMaintainerMayBecomeTheOwner(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	maintainer := pgtest.Connect(t, pgtest.Login(t, url, "dwcp_maintainer"))
	_, err := maintainer.Exec(t.Context(), "DELETE FROM compression_telemetry")
	require.ErrorContains(t, err, "42501")
	_, err = maintainer.Exec(t.Context(), "SET ROLE dwcp_owner")
	require.NoError(t, err)
	_, err = maintainer.Exec(t.Context(), "DELETE FROM compression_telemetry")
	require.NoError(t, err)
	for _, role := range []string{"dwcp_writer", "dwcp_ml_reader"} {
		_, err := pgtest.Connect(t, pgtest.Login(t, url, role)).Exec(t.Context(), "SET ROLE dwcp_owner")
		require.ErrorContains(t, err, "42501", role)
	}
}

func TestTheLedgerTakesNoRowThatDoesNotAddUp(t *testing.T) {
	t.Parallel()
	conn := pgtest.Connect(t, pgtest.Database(t))
	insert := func(values string) error {
		_, err := conn.Exec(t.Context(), `INSERT INTO compression_telemetry_batches
			(kind, received, written, duplicate, conflict, rejected, removed, candidates, labels, rejected_by_reason) VALUES (`+values+`, '{}', '{}')`)
		return err
	}
	for _, good := range []string{
		"'load', 6, 3, 2, 1, 1, 0, 3",
		"'retention', 0, 0, 0, 0, 0, 7, -5",
		"'relabel', 0, 0, 0, 0, 0, 0, 2",
	} {
		require.NoError(t, insert(good), good)
	}
	for _, bad := range []string{
		"'load', 7, 3, 2, 1, 1, 0, 3",
		"'load', 3, 3, 0, 0, 0, 1, 0",
		"'load', 3, 3, 0, 0, 0, 0, 4",
		"'load', 3, 3, 0, 0, 0, 0, -1",
		"'retention', 1, 1, 0, 0, 0, 7, 0",
		"'retention', 0, 0, 0, 0, 0, -7, 0",
		"'', 0, 0, 0, 0, 0, 0, 0",
	} {
		require.ErrorContains(t, insert(bad), "23514", bad)
	}
}
