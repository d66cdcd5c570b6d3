package doctor

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
	"github.com/novacron/dwcp-telemetry/internal/pseudonym"
)

func purpose(p Purpose, sql string) func(*testBundle) {
	return func(b *testBundle) {
		b.as(p)
		b.exec(sql)
	}
}

// dropPartitions leaves the table without one.
const dropPartitions = `DO $$ DECLARE p regclass; BEGIN
	FOR p IN SELECT partition FROM compression_telemetry_partitions() LOOP EXECUTE format('DROP TABLE %s', p); END LOOP; END $$`

// ofPostgres are faults that a login meets in its database.
var ofPostgres = map[string][]provocation{
	"database.url": {
		{"not set", Error, "starts no PostgreSQL of its own", variable(envDatabase, "")},
		{"no URL", Error, "must be a PostgreSQL URL", variable(envDatabase, "postgres://u:open-sesame-1@h:port/db")},
		{"bad mode", Error, "sslmode: must be", variable(envDatabase, "postgres://u@h/db?sslmode=full")},
	},
	"database.hosts": {
		{"unknown", Error, "nowhere.invalid", variable(envDatabase, "postgres://u@nowhere.invalid/db")},
		{"refused", Error, "connection refused", variable(envDatabase, "postgres://u@127.0.0.1:1/db")},
		{"one of two", Warning, "connection refused", func(b *testBundle) {
			u, err := url.Parse(b.database())
			require.NoError(b, err)
			b.set(envDatabase, "host="+u.Query().Get("host")+",127.0.0.1 port=5432,1 user="+b.login+" dbname="+u.Path[1:])
		}},
	},
	"database.login": {
		{"no such user", Error, "does not exist", func(b *testBundle) {
			b.set(envDatabase, strings.Replace(b.database(), b.login, "nobody_there", 1))
		}},
		{"no such database", Error, "does not exist", func(b *testBundle) {
			u, err := url.Parse(b.database())
			require.NoError(b, err)
			u.Path = "/not_there"
			b.set(envDatabase, u.String())
		}},
	},
	"roles.purpose": {
		{"no role", Error, "with none of our roles, as writer lacks: ", statement("REVOKE dwcp_writer FROM LOGIN_NAME")},
		{"another role", Error, "as writer lacks: INSERT on compression_telemetry", func(b *testBundle) {
			b.as(Reader)
			b.As = Writer
		}},
		{"a table is closed", Error, "lacks: SELECT on compression_telemetry_forgotten", statement("REVOKE SELECT ON compression_telemetry_forgotten FROM dwcp_writer")},
		{"no maintainer", Error, "as maintainer lacks: ", func(b *testBundle) { b.As = Maintainer }},
		{"a reader without ledger", Error, "lacks: SELECT on compression_telemetry_batches", purpose(Reader, "REVOKE SELECT ON compression_telemetry_batches FROM dwcp_ml_reader")},
		{"an owner without CREATEROLE", Error, "CREATEROLE on this server", func(b *testBundle) { b.as(Owner) }},
		{"not migrated", Error, "lacks", func(b *testBundle) {
			b.url = pgtest.EmptyDatabase(b)
			b.as(Writer)
		}},
	},
	"roles.excess": {
		{"superuser", Error, "is a superuser", func(b *testBundle) { b.use(b.url) }},
		{"owner", Error, "owns the tables or the database", statement("GRANT dwcp_owner TO LOGIN_NAME")},
		{"maintainer", Warning, "SET ROLE on dwcp_owner", statement("GRANT dwcp_maintainer TO LOGIN_NAME")},
		{"deletes", Warning, "DELETE on compression_telemetry", statement("GRANT DELETE ON compression_telemetry TO LOGIN_NAME")},
		{"CREATEDB", Warning, "has CREATEDB", statement("ALTER ROLE LOGIN_NAME CREATEDB CREATEROLE")},
		{"reads all", Warning, "is a member of pg_read_all_data", statement("GRANT pg_read_all_data TO LOGIN_NAME")},
		{"a reader that writes", Warning, "INSERT on compression_telemetry", purpose(Reader, "GRANT dwcp_writer TO LOGIN_NAME")},
		{"an owner that is superuser", Info, "is a superuser; to migrate", purpose(Owner, "ALTER ROLE LOGIN_NAME SUPERUSER")},
	},
	"roles.public": {
		{"table", Error, "every login has SELECT on compression_telemetry", statement("GRANT SELECT ON compression_telemetry TO PUBLIC")},
		{"function", Error, "every login has EXECUTE on FUNCTION ensure_partition", statement("GRANT EXECUTE ON FUNCTION ensure_partition(timestamptz, text) TO PUBLIC")},
		{"schema", Error, "every login has CREATE on SCHEMA public", statement("GRANT CREATE ON SCHEMA public TO PUBLIC")},
	},
	"schema.migrations": {
		{"none", Error, "no migration is applied", func(b *testBundle) {
			b.url, b.As = pgtest.EmptyDatabase(b), Owner
			b.use(b.url)
		}},
		{"the last one not", Error, "1 of ", statement("DELETE FROM goose_db_version WHERE version_id = (SELECT max(version_id) FROM goose_db_version)")},
		{"taken back", Error, "00013_describe_recorders.sql", purpose(Maintainer, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (13, false)")},
		{"a newer one", Warning, "older than the schema", purpose(Reader, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)")},
		{"not readable", Skipped, "may not read which are applied", statement("REVOKE SELECT ON goose_db_version FROM dwcp_writer")},
	},
	"schema.table": {
		{"a column is missing", Error, "column oracle_version character varying(32) is missing", statement("ALTER TABLE compression_telemetry DROP COLUMN oracle_version CASCADE")},
		{"no table", Error, "it does not exist", func(b *testBundle) {
			b.url = pgtest.EmptyDatabase(b)
			b.as(Writer)
		}},
	},
	"partitions.ahead": {
		{"none yet", Info, "the first collector that starts", statement(dropPartitions)},
		{"none for now", Error, "no partition holds this moment", statement(dropPartitions + "; SELECT ensure_partition(now() - interval '40 days', 'month')")},
		{"too few", Warning, "0 ahead", statement(dropPartitions + "; SELECT ensure_partition(now(), 'month')")},
		{"not migrated", Skipped, "the schema of this version is not there", func(b *testBundle) {
			b.url = pgtest.EmptyDatabase(b)
			b.as(Writer)
		}},
	},
	"partitions.expired":   {{"old", Warning, "is older than the retention of 90 days", statement("SELECT ensure_partition(now() - interval '200 days', 'month')")}},
	"partitions.leftovers": {{"a table", Warning, "compression_telemetry_202001 is named like a partition but is none", statement("CREATE TABLE compression_telemetry_202001 ()")}},
	"partitions.maintenance": {{"no round", Warning, "no round since", statement(`INSERT INTO compression_telemetry_batches
		(committed_at, received, written, duplicate, conflict, rejected, candidates, labels, rejected_by_reason)
		SELECT date_trunc('hour', now()) - interval '290 minutes', 0, 0, 0, 0, 0, 0, '{}', '{}' FROM generate_series(1, 2)`)}},
	"clock.skew": {
		{"behind", Error, "PostgreSQL's clock is 5m", func(b *testBundle) { b.now = shifted(5*time.Minute + 30*time.Second) }},
		{"ahead", Warning, "ahead of this machine's", func(b *testBundle) { b.now = shifted(-30 * time.Second) }},
	},
	"postgres.durability": {
		{"the tests' own server", Error, "fsync is off", func(*testBundle) {}},
		{"for the login", Warning, "synchronous_commit is off", statement("ALTER ROLE LOGIN_NAME SET synchronous_commit = off")},
	},
	"postgres.connections": {{"the login's limit", Warning, "the login has 3 of 3 connections left, the writer takes 6 more", statement("ALTER ROLE LOGIN_NAME CONNECTION LIMIT 3")}},
	"postgres.timeouts": {
		{"the collector's", Info, "statement_timeout is 5s; the collector sets limits of its own", statement("ALTER ROLE LOGIN_NAME SET statement_timeout = '5s'")},
		{"a reader's", Warning, "an export or a migration", purpose(Reader, "ALTER ROLE LOGIN_NAME SET statement_timeout = '5s'")},
	},
	"postgres.temp":       {{"limited", Warning, "temp_file_limit is 1 MiB", statement("ALTER ROLE LOGIN_NAME SET temp_file_limit = '1MB'")}},
	"postgres.wal":        {{"a slot", Warning, "nobody reads from the replication slots", keepWAL}},
	"postgres.autovacuum": {{"no statistics", Warning, "track_counts is off", statement("ALTER ROLE LOGIN_NAME SET track_counts = off")}},
	"disk.postgres": {
		{"full soon", Error, "it is full in ", func(b *testBundle) {
			b.PostgresData = b.dir
			b.exec(`INSERT INTO compression_telemetry_batches (received, written, duplicate, conflict, rejected, candidates, labels, rejected_by_reason)
				VALUES (1000000000000, 1000000000000, 0, 0, 0, 0, '{}', '{}')`)
		}},
		{"not to be told", Info, "--postgres-data FOLDER", func(*testBundle) {}},
	},
	"key.id": {
		{"another one's", Warning, "the newest decisions have the key id k9, the key here is k1", func(b *testBundle) {
			b.insert("old", "k1", 2*time.Hour)
			b.insert("new", "k9", time.Hour)
		}},
		{"empty", Info, "no decision yet", func(*testBundle) {}},
	},
	"key.unchanged": {
		{"another key", Error, "not in the table under this key", func(b *testBundle) {
			b.insert(pseudonym.NewHasher([]byte("the key before")).VMID("vm-4711"), "k1", time.Hour)
			b.VMID = "vm-4711"
		}},
		{"a newer file", Warning, "the key's file was written", func(b *testBundle) { b.insert("vm", "k1", 50*time.Hour) }},
	},
}

func shifted(by time.Duration) func() time.Time {
	return func() time.Time { return time.Now().Add(by) }
}

// keepWAL makes a replication slot, which is the whole server's.
func keepWAL(b *testBundle) {
	b.Helper()
	name := "slot_" + b.login
	b.exec("SELECT pg_create_physical_replication_slot($1, true)", name)
	b.Cleanup(func() {
		conn, err := pgx.Connect(context.Background(), pgtest.Server(b).AdminURL("postgres"))
		require.NoError(b, err)
		_, err = conn.Exec(context.Background(), "SELECT pg_drop_replication_slot($1)", name)
		require.NoError(b, errors.Join(err, conn.Close(context.Background())))
	})
}

func TestEachFaultOfPostgreSQLIsFound(t *testing.T) {
	t.Parallel()
	testProvocations(t, setup, ofPostgres)
}

func TestDecisionsThatAreOlderThanTheKeyMayArriveUnderIt(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.insert("vm", "k1", 50*time.Hour)
	b.exec("UPDATE compression_telemetry SET ingested_at = now()")
	requireFinding(t, b.examine(), "key.unchanged", OK, "older than the first decisions")
}

func TestAKeyThatIsTheSameIsTold(t *testing.T) {
	t.Parallel()
	b := setup(t)
	secret, err := pseudonym.ParseSecret(goodKey)
	require.NoError(t, err)
	b.insert(pseudonym.NewHasher(secret).VMID("vm-4711"), "k1", time.Minute)
	b.VMID = "vm-4711"
	report := b.examine()
	requireFinding(t, report, "key.unchanged", OK, "is there under this key")
	requireFinding(t, report, "key.id", OK, "have the id k1, too")
}

// A key in the environment is as old as the first decisions that it was used
// for.
func TestAKeyInTheEnvironmentIsAsOldAsItsDecisions(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.set("DWCP_VM_ID_KEY_FILE", "")
	b.set("DWCP_VM_ID_KEY", goodKey)
	b.insert("vm", "k1", 400*24*time.Hour)
	b.insert("vm", "k1", time.Hour)
	requireFinding(t, b.examine(), "key.age", Warning, "the id k1 is in use since")
}

func TestADatabaseThatIsDeadMakesNoCascadeOfErrors(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.set(envDatabase, "postgres://u@127.0.0.1:1/db")
	report := b.examine()
	var wrong []string
	for _, f := range report.Findings {
		if f.Level == Error {
			wrong = append(wrong, f.ID)
		}
	}
	require.Equal(t, []string{"database.hosts"}, wrong, listed(report.Findings))
	for _, id := range append(append([]string{"database.login"}, ofLogin...), ofDatabase...) {
		requireFinding(t, report, id, Skipped, "no host can be reached; see database.hosts")
	}
}

// Nothing that is looked at is changed: not by a superuser either.
func TestItChangesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.use(b.url)
	b.insert("vm", "k1", time.Hour)
	state := func() (text string) {
		require.NoError(t, b.admin.QueryRow(t.Context(), `SELECT concat_ws('/', (SELECT count(*) FROM pg_class), (SELECT count(*) FROM pg_roles WHERE rolname !~ '^login_'),
			(SELECT count(*) FROM compression_telemetry_batches), (SELECT count(*) FROM compression_telemetry), (SELECT sum(xmin::text::bigint) FROM goose_db_version))`).Scan(&text))
		return text
	}
	before := state()
	b.set("DWCP_QUEUE_DIR", b.dir+"/not/there")
	b.examine()
	require.Equal(t, before, state())
	require.NoDirExists(t, b.dir+"/not")

	e := begin(b.Options)
	c := &connection{examination: e, target: e.targets()[0], conn: b.admin}
	require.NoError(t, c.reading(t.Context(), func(tx pgx.Tx) {
		_, err := tx.Exec(t.Context(), "CREATE TABLE made_by_a_look ()")
		require.ErrorContains(t, err, "25006", "a read-only transaction refuses it")
	}))
}
