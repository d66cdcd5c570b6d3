package pgtelemetry

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
)

// Functions of the extensions' names that only record their calls: this holds
// what is ours of the scripts, not how the extensions behave.
const recordingFunctions = `
CREATE TABLE public.calls (id serial, call text);
CREATE FUNCTION public.create_reference_table(text) RETURNS void LANGUAGE sql AS $$ INSERT INTO public.calls (call) VALUES ('reference ' || $1) $$;
CREATE FUNCTION public.create_distributed_table(t text, c text, colocate_with text, shard_count int) RETURNS void LANGUAGE sql
	AS $$ INSERT INTO public.calls (call) VALUES (concat_ws(' ', 'distributed', t, c, colocate_with, shard_count)) $$;
CREATE FUNCTION public.by_range(c text, i interval) RETURNS text LANGUAGE sql AS $$ SELECT c || ' ' || i $$;
CREATE FUNCTION public.create_hypertable(t regclass, d text, create_default_indexes boolean) RETURNS void LANGUAGE sql
	AS $$ INSERT INTO public.calls (call) VALUES (concat_ws(' ', 'hypertable', t, d)) $$;
CREATE PROCEDURE public.add_columnstore_policy(t regclass, after interval) LANGUAGE sql
	AS $$ INSERT INTO public.calls (call) VALUES (concat_ws(' ', 'columnstore', t, after)) $$;
CREATE FUNCTION public.add_retention_policy(t regclass, drop_after interval) RETURNS void LANGUAGE sql
	AS $$ INSERT INTO public.calls (call) VALUES (concat_ws(' ', 'retention', t, drop_after)) $$;
`

// columnstore is the one statement that a plain PostgreSQL cannot parse into
// anything it knows.
var columnstore = regexp.MustCompile(`(?s)ALTER TABLE compression_telemetry SET \(\s*timescaledb\.[^;]*;`)

func runScript(t *testing.T, admin *pgx.Conn, path string) []string {
	t.Helper()
	script, err := os.ReadFile(path)
	require.NoError(t, err)
	sql := columnstore.ReplaceAllString(strings.Replace(string(script), `\set ON_ERROR_STOP on`, "", 1), "")
	_, err = admin.Exec(t.Context(), recordingFunctions)
	require.NoError(t, err)
	_, err = admin.Exec(t.Context(), sql)
	require.NoError(t, err)
	rows, err := admin.Query(t.Context(), "SELECT call FROM public.calls ORDER BY id")
	require.NoError(t, err)
	calls, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	return calls
}

func TestTheScriptForCitusDistributesByTheEventsID(t *testing.T) {
	t.Parallel()
	admin := pgtest.Connect(t, pgtest.Database(t))
	require.Equal(t, []string{
		"reference public.compression_telemetry_forgotten",
		"distributed public.compression_telemetry event_id none 32",
	}, runScript(t, admin, "../../deploy/citus/distribute.sql"))
}

func TestTheExporterWritesIntoTheTableThatTheScriptForTimescaleDBMakes(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	admin := pgtest.Connect(t, url)
	const privileges = `SELECT string_agg(concat_ws(' ', table_name, column_name, grantee, privilege_type), ',' ORDER BY table_name, column_name, grantee, privilege_type)
		FROM information_schema.column_privileges WHERE table_name IN ('compression_telemetry', 'compression_telemetry_ml') AND grantee LIKE 'dwcp%'`
	var before, after string
	require.NoError(t, admin.QueryRow(t.Context(), privileges).Scan(&before))
	require.Equal(t, []string{
		"hypertable compression_telemetry timestamp 1 day",
		"columnstore compression_telemetry 7 days",
		"retention compression_telemetry 90 days",
	}, runScript(t, admin, "../../deploy/timescaledb/hypertable.sql"))
	require.NoError(t, admin.QueryRow(t.Context(), privileges).Scan(&after))
	require.Equal(t, before, after)

	b := setupOn(t, url)
	rows := b.fresh(5)
	rows[0].Timestamp = rows[0].Timestamp.AddDate(0, 0, -40)
	b.push(t, rows...)
	b.push(t, rows...)
	b.requireStored(t, rows...)
	require.Equal(t, ledger{received: 10, written: 5, duplicate: 5}, b.ledger(t))
	require.Zero(t, b.log.FilterLevelExact(zap.ErrorLevel).Len())
	require.Zero(t, b.log.FilterMessageSnippet("partitions are made").Len())
}
