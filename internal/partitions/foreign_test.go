package partitions

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A partition that somebody moved to another schema is meant there, and a table
// of its name in public never is.
func TestATableOfTheSameNameInAnotherSchemaIsLeftAlone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.exec(t, "CREATE SCHEMA archive; GRANT USAGE ON SCHEMA archive TO dwcp_owner")
	b.exec(t, "CREATE TABLE around PARTITION OF compression_telemetry FOR VALUES FROM ('"+b.now.Add(-92*day).Format(time.RFC3339)+"') TO ('"+b.now.Add(-88*day).Format(time.RFC3339)+"')")
	b.load(t, b.now.Add(-200*day), time.Minute, 50)
	b.load(t, b.now.Add(-90*day-time.Hour), time.Second, 10)
	for _, name := range []string{month(b.now.Add(-200 * day)), "around"} {
		b.exec(t, "ALTER TABLE "+name+" SET SCHEMA archive; ALTER TABLE archive."+name+" OWNER TO dwcp_owner")
		b.exec(t, "CREATE TABLE "+name+" AS SELECT * FROM archive."+name)
		b.exec(t, "ALTER TABLE "+name+" OWNER TO dwcp_owner")
	}
	for range 2 { // a second round would drop what the first had marked
		b.run(t, keeper(Defaults()))
	}
	require.Zero(t, b.rows(t))
	b.requireTrueLedger(t)
	require.Equal(t, 50, value[int](t, b.admin, "SELECT count(*) FROM public."+month(b.now.Add(-200*day))))
	require.Equal(t, 10, value[int](t, b.admin, "SELECT count(*) FROM public.around"))
}

func TestWhatSomebodyAttachesAgainWhileItIsTakenOutIsKept(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.load(t, b.now.Add(-200*day), time.Minute, 50)
	b.exec(t, "CREATE TABLE kept (LIKE compression_telemetry INCLUDING ALL) PARTITION BY RANGE (timestamp)")
	k := keeper(Defaults())
	k.after = func(moment, on string) {
		if moment == "detach" {
			b.exec(t, "ALTER TABLE kept ATTACH PARTITION "+on+" FOR VALUES FROM (MINVALUE) TO (MAXVALUE)")
		}
	}
	report, err := k.Run(t.Context(), b.login(t, "dwcp_maintainer"))
	require.ErrorContains(t, err, "somebody has attached it again")
	require.Empty(t, report.Dropped)
	b.run(t, keeper(Defaults()))
	require.Equal(t, 50, value[int](t, b.admin, "SELECT count(*) FROM kept"))
}

func TestADetachThatSomebodyElseBeganIsTold(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.load(t, b.now.Add(-40*day), time.Minute, 5)
	export := b.reader(t)
	b.exec(t, "SET statement_timeout = '200ms'")
	_, err := b.admin.Exec(t.Context(), "ALTER TABLE compression_telemetry DETACH PARTITION "+month(b.now.Add(-40*day))+" CONCURRENTLY")
	require.ErrorContains(t, err, "57014")
	b.exec(t, "RESET statement_timeout")
	require.NoError(t, export.Commit(t.Context()))

	report := b.run(t, keeper(Defaults()))
	require.Empty(t, report.Dropped, "it has not expired")
	require.Len(t, report.Warnings, 1)
	require.Contains(t, report.Warnings[0], month(b.now.Add(-40*day))+": somebody began to detach it")
	require.Contains(t, report.Warnings[0], `DETACH PARTITION "public"."`+month(b.now.Add(-40*day))+`" FINALIZE`)
}
