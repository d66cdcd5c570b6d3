package partitions

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// onPartman runs a test on a table that pg_partman manages: on the real one, and
// on a stand-in that has what of it is looked at, for servers without it.
func onPartman(t *testing.T, test func(t *testing.T, b *testBundle)) {
	t.Helper()
	t.Run("stand-in", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.exec(t, `CREATE SCHEMA partman;
			CREATE TABLE partman.part_config (parent_table text PRIMARY KEY, control text NOT NULL, retention text, retention_keep_table boolean NOT NULL DEFAULT true);
			INSERT INTO partman.part_config VALUES ('public.compression_telemetry', 'timestamp')`)
		for at := -8; at <= 3; at++ {
			from := time.Date(b.now.Year(), b.now.Month()+time.Month(at), 1, 0, 0, 0, 0, time.UTC)
			b.exec(t, "CREATE TABLE compression_telemetry_"+from.Format("p2006_01")+" PARTITION OF compression_telemetry FOR VALUES FROM ('"+
				from.Format(time.RFC3339)+"') TO ('"+from.AddDate(0, 1, 0).Format(time.RFC3339)+"')")
		}
		b.exec(t, "CREATE TABLE compression_telemetry_default PARTITION OF compression_telemetry DEFAULT")
		test(t, b)
	})
	if !hasPartman(t) {
		return
	}
	t.Run("pg_partman", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.exec(t, "CREATE SCHEMA partman; CREATE EXTENSION pg_partman SCHEMA partman")
		interval := "'native', 'monthly'"
		if !strings.HasPrefix(value[string](t, b.admin, "SELECT extversion FROM pg_extension WHERE extname = 'pg_partman'"), "4.") {
			interval = "'1 month'"
		}
		b.exec(t, "SELECT partman.create_parent('public.compression_telemetry', 'timestamp', "+interval+", p_start_partition := $1)",
			b.now.AddDate(0, -8, 0).Format(time.DateOnly))
		test(t, b)
	})
}

// hasPartman says whether the server has it, as CI's must.
func hasPartman(t *testing.T) bool {
	t.Helper()
	if value[bool](t, setup(t).admin, "SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_partman')") {
		return true
	}
	const missing = "this PostgreSQL has no pg_partman (apt-get install postgresql-15-partman)"
	if os.Getenv("CI") != "" && os.Geteuid() == 0 && os.Getenv("DWCP_POSTGRES") != "download" {
		t.Fatal(missing)
	}
	t.Log(missing + ": only the stand-in is tested")
	return false
}

func TestWherePgPartmanManagesTheTableItIsOnlyLookedAt(t *testing.T) {
	t.Parallel()
	onPartman(t, func(t *testing.T, b *testBundle) {
		t.Helper()
		insert := func(at time.Time) {
			b.exec(t, "INSERT INTO compression_telemetry "+columns+" VALUES ($1, gen_random_uuid(), 'vm', 'r', 'wan', 'eu', 1, 1, 1, 1, 1, 'x', true, 'HDE', 1, true)", at)
		}
		insert(b.now)
		insert(b.now.AddDate(0, -6, 0))          // expired
		insert(b.now.Add(-90*day - time.Minute)) // to be trimmed
		b.exec(t, "INSERT INTO compression_telemetry_rejected (digest, received_at, reason) VALUES ('1', now() - interval '91 days', 'missing')")
		before := b.names(t)

		plan, err := keeper(Defaults()).Plan(t.Context(), b.login(t, "dwcp_writer"))
		require.NoError(t, err)
		require.Equal(t, &Partman{Schema: "partman"}, plan.Partman)
		require.Len(t, plan.Actions, 1)
		require.Equal(t, Purge, plan.Actions[0].Step)
		require.Contains(t, strings.Join(plan.Warnings, "\n"), "pg_partman (schema partman) manages the table")
		require.Contains(t, strings.Join(plan.Warnings, "\n"), "partman.part_config cannot be read")

		for range 2 {
			report := b.run(t, keeper(Defaults()))
			require.Empty(t, report.Created)
			require.Empty(t, report.Dropped)
			require.Zero(t, report.Trimmed)
			made, err := EnsureAhead(t.Context(), b.login(t, "dwcp_writer"), Settings{Period: Month, Ahead: 11, Retention: 90 * day})
			require.NoError(t, err)
			require.Empty(t, made)
			_, err = Ensure(t.Context(), b.login(t, "dwcp_writer"), b.now.AddDate(0, 10, 0), Month)
			require.ErrorContains(t, err, "pg_partman (schema partman) manages the table and has made no partition for")
			_, err = b.admin.Exec(t.Context(), "SELECT ensure_partition($1)", b.now.AddDate(0, 10, 0))
			require.ErrorContains(t, err, "55000")
			// The second time it may be read.
			b.exec(t, "GRANT USAGE ON SCHEMA partman TO dwcp_owner; GRANT SELECT ON partman.part_config TO dwcp_owner")
		}
		require.Equal(t, before, b.names(t))
		require.Equal(t, 3, b.rows(t))
		require.Zero(t, value[int](t, b.admin, "SELECT count(*) FROM compression_telemetry_rejected"), "the rejected ones are none of pg_partman's")
	})
}

func TestWhatPgPartmanIsToldIsChecked(t *testing.T) {
	t.Parallel()
	onPartman(t, func(t *testing.T, b *testBundle) {
		t.Helper()
		b.exec(t, "GRANT USAGE ON SCHEMA partman TO dwcp_owner; GRANT SELECT ON partman.part_config TO dwcp_owner")
		look := func(ahead int) *Survey {
			survey, err := Look(t.Context(), b.login(t, "dwcp_ml_reader"), Settings{Period: Month, Ahead: ahead, Retention: 90 * day})
			require.NoError(t, err)
			return survey
		}
		configure := func(set string) { b.exec(t, "UPDATE partman.part_config SET "+set) }
		rest := func(warnings []string) string {
			var others []string
			for _, w := range warnings {
				if !strings.Contains(w, "manages the table") {
					others = append(others, w)
				}
			}
			return strings.Join(others, "\n")
		}
		require.Contains(t, rest(look(2).Warnings()), "pg_partman has no retention")
		configure("retention = '90 days', retention_keep_table = true")
		require.Equal(t, &Partman{Schema: "partman", Readable: true, Retention: "90 days", KeepsTable: true}, look(2).Partman)
		require.Contains(t, rest(look(2).Warnings()), "set retention_keep_table to false")
		configure("retention_keep_table = false")
		require.Empty(t, rest(look(2).Warnings()))
		require.Contains(t, rest(look(11).Warnings()), "raise premake")
		configure("parent_table = 'public.another'")
		require.Nil(t, look(2).Partman, "it manages other tables only")
	})
}

func TestAPartConfigThatAnybodyMadeIsNotBelieved(t *testing.T) {
	t.Parallel()
	b := setup(t)
	login := b.login(t, "dwcp_ml_reader")
	b.exec(t, "CREATE SCHEMA partman; GRANT USAGE ON SCHEMA partman TO PUBLIC; GRANT CREATE ON SCHEMA partman TO "+login.Config().User)
	_, err := login.Exec(t.Context(), `CREATE TABLE partman.part_config (parent_table text, retention text, retention_keep_table boolean);
		INSERT INTO partman.part_config VALUES ('public.compression_telemetry', NULL, true);
		GRANT SELECT ON partman.part_config TO PUBLIC`)
	require.NoError(t, err)
	b.load(t, b.now.Add(-200*day), time.Minute, 5)
	report := b.run(t, keeper(Defaults()))
	require.Len(t, report.Dropped, 1)
	require.NotEmpty(t, report.Created)
	require.Empty(t, report.Warnings)
}
