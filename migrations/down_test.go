package migrations_test

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
	"github.com/novacron/dwcp-telemetry/migrations"
)

// describe is the schema public, a line for each thing in it.
func describe(t *testing.T, url string) []string {
	t.Helper()
	rows, err := pgtest.Connect(t, url).Query(t.Context(), `
		SELECT format('column %s.%s %s %s %s %s', attrelid::regclass, attname, format_type(atttypid, atttypmod), attnotnull,
			pg_get_expr(adbin, adrelid), attacl)
		FROM pg_attribute JOIN pg_class AS c ON c.oid = attrelid LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
		WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v') AND attnum > 0 AND NOT attisdropped
		UNION ALL SELECT format('constraint %s %s', conrelid::regclass, pg_get_constraintdef(oid))
		FROM pg_constraint WHERE connamespace = 'public'::regnamespace
		UNION ALL SELECT format('index %s', indexdef) FROM pg_indexes WHERE schemaname = 'public'
		UNION ALL SELECT format('function %s', md5(pg_get_functiondef(oid))) || proname || proacl::text
		FROM pg_proc WHERE pronamespace = 'public'::regnamespace
		UNION ALL SELECT format('table %s %s', relname, (SELECT string_agg(a::text, ' ' ORDER BY a::text) FROM unnest(relacl) AS a))
		FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v')
		ORDER BY 1`)
	require.NoError(t, err)
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	require.NotEmpty(t, lines)
	return lines
}

func TestWhatIsUndoneCanBeAppliedAgain(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	before := describe(t, url)
	undoings, err := migrations.Undoings(t.Context(), url, migrations.Oldest)
	require.NoError(t, err)
	undone, err := migrations.Down(t.Context(), url, migrations.Oldest)
	require.NoError(t, err)
	require.Len(t, undone, len(undoings))
	for i, m := range undone {
		require.Equal(t, undoings[i].Version, m.Version)
		require.False(t, m.Applied)
	}
	all, err := migrations.Status(t.Context(), url)
	require.NoError(t, err)
	for _, m := range all {
		require.Equal(t, m.Version <= migrations.Oldest, m.Applied, m.Name)
	}
	require.NotEqual(t, before, describe(t, url))

	applied, err := migrations.Up(t.Context(), url)
	require.NoError(t, err)
	require.Len(t, applied, len(undone))
	require.Equal(t, before, describe(t, url), "the same tables, columns, constraints, indexes, functions and privileges")
}

func TestWhatAWayBackDropsIsNamed(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	undoings, err := migrations.Undoings(t.Context(), url, migrations.Oldest)
	require.NoError(t, err)
	drops := map[int64][]string{}
	for _, u := range undoings {
		drops[u.Version] = u.Drops
	}
	require.Equal(t, []string{"table compression_telemetry_forgotten"}, drops[11])
	require.Equal(t, []string{
		"column compression_telemetry_batches.recorders", "column compression_telemetry_batches.removed", "column compression_telemetry_batches.batches",
	}, drops[6])
	require.Empty(t, drops[10])
}

func TestTheTablesOfTheDecisionsAreNotUndone(t *testing.T) {
	t.Parallel()
	const nowhere = "postgres://127.0.0.1:1/none" // a version that is none is refused before a database is asked
	for _, version := range []int64{-1, 0, migrations.Oldest - 1, 99_999} {
		undone, err := migrations.Down(t.Context(), nowhere, version)
		require.ErrorContains(t, err, "must be from 4, for those up to it made the tables that hold the decisions, to ")
		require.Empty(t, undone)
	}
}
