package migrations_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
)

// ensure makes a partition and returns its name and bounds.
func ensure(t *testing.T, conn *pgx.Conn, moment, period string) string {
	t.Helper()
	var made string
	require.NoError(t, conn.QueryRow(t.Context(), "SELECT ensure_partition($1::text::timestamptz, $2)", moment, period).Scan(&made))
	var bounds string
	require.NoError(t, conn.QueryRow(t.Context(), `SELECT to_char(lower AT TIME ZONE 'UTC', 'YYYY-MM-DD') || '..' || to_char(upper AT TIME ZONE 'UTC', 'YYYY-MM-DD')
		FROM compression_telemetry_partitions() WHERE partition::text = $1 OR partition::text = 'public.' || $1`, made).Scan(&bounds))
	return made[len("compression_telemetry_"):] + " " + bounds
}

// lastYear is the last one before this whose 25 November is such a day.
func lastYear(t *testing.T, with func(time.Time) bool) int {
	t.Helper()
	for year := time.Now().UTC().Year() - 1; year > time.Now().UTC().Year()-10; year-- {
		if with(time.Date(year, 11, 25, 0, 0, 0, 0, time.UTC)) {
			return year
		}
	}
	t.Fatal("there is no such year in reach of ensure_partition")
	return 0
}

func TestAPartitionIsAMonthAWeekOrADayOfUTC(t *testing.T) {
	t.Parallel()
	year := lastYear(t, func(time.Time) bool { return true })
	long := lastYear(t, func(november time.Time) bool { // 53 weeks
		_, week := november.AddDate(0, 0, 33).ISOWeek()
		return week == 53
	})
	leap := lastYear(t, func(november time.Time) bool { return november.YearDay() == 330 })
	moments := []time.Time{
		time.Date(year, 11, 30, 23, 59, 59, 999999000, time.UTC),
		time.Date(year, 12, 1, 0, 0, 0, 0, time.UTC),
		time.Date(year-1, 12, 31, 23, 59, 59, 0, time.UTC),
		time.Date(year-1, 12, 31, 23, 30, 0, 0, time.FixedZone("", -5*3600)),
		time.Date(leap, 2, 29, 12, 0, 0, 0, time.UTC),
		time.Date(long, 12, 31, 0, 0, 0, 0, time.UTC),
		time.Date(long+1, 1, 3, 23, 59, 59, 0, time.UTC),
		time.Date(year, 3, 31, 1, 0, 0, 0, time.UTC), // clocks change in Europe about then
		time.Date(year, 10, 26, 1, 0, 0, 0, time.UTC),
	}
	for _, period := range []string{"month", "week", "day"} {
		t.Run(period, func(t *testing.T) {
			t.Parallel()
			conn := pgtest.Connect(t, pgtest.Database(t))
			_, err := conn.Exec(t.Context(), "SET timezone = 'Europe/Berlin'; SET datestyle = 'German, DMY'")
			require.NoError(t, err)
			for _, moment := range moments {
				want, at := expected(moment.UTC(), period), moment.Format(time.RFC3339Nano)
				require.Equal(t, want, ensure(t, conn, at, period))
				require.Equal(t, want, ensure(t, conn, at, "month"), "it is there, of whatever size")
				require.Equal(t, want, ensure(t, conn, at, "day"))
			}
		})
	}
}

// expected goes by Go's calendar.
func expected(moment time.Time, period string) string {
	day := time.Date(moment.Year(), moment.Month(), moment.Day(), 0, 0, 0, 0, time.UTC)
	from, to, name := day, day.AddDate(0, 0, 1), day.Format("20060102")
	switch period {
	case "month":
		from = day.AddDate(0, 0, 1-day.Day())
		to, name = from.AddDate(0, 1, 0), day.Format("200601")
	case "week":
		from = day.AddDate(0, 0, -(int(day.Weekday())+6)%7)
		year, week := day.ISOWeek()
		to, name = from.AddDate(0, 0, 7), fmt.Sprintf("%04dw%02d", year, week)
	}
	return name + " " + from.Format(time.DateOnly) + ".." + to.Format(time.DateOnly)
}

// as2026 puts another year in place of 2026, for the tests' dates to be in reach
// of ensure_partition at any time.
func as2026(t *testing.T) func(string) string {
	t.Helper()
	year := lastYear(t, func(november time.Time) bool { return november.Weekday() == time.Wednesday })
	return strings.NewReplacer("2025", strconv.Itoa(year-1), "2026", strconv.Itoa(year), "2027", strconv.Itoa(year+1)).Replace
}

func TestAPartitionIsClippedToWhatItsNeighboursLeave(t *testing.T) {
	t.Parallel()
	of2026 := as2026(t)
	conn := pgtest.Connect(t, pgtest.Database(t))
	for _, c := range []struct{ moment, period, want string }{
		{"2026-11-25", "month", "202611 2026-11-01..2026-12-01"},
		{"2026-12-03", "week", "2026w49_from_20261201 2026-12-01..2026-12-07"},
		{"2026-11-30", "week", "202611 2026-11-01..2026-12-01"},
		{"2026-12-16", "day", "20261216 2026-12-16..2026-12-17"},
		{"2026-12-17", "week", "2026w51_from_20261217 2026-12-17..2026-12-21"},
		{"2026-12-15", "week", "2026w51_from_20261214 2026-12-14..2026-12-16"},
		{"2026-12-10", "month", "202612_from_20261207 2026-12-07..2026-12-14"},
		{"2026-12-31", "month", "202612_from_20261221 2026-12-21..2027-01-01"},
		{"2027-01-01", "month", "202701 2027-01-01..2027-02-01"},
		{"2026-12-01", "month", "2026w49_from_20261201 2026-12-01..2026-12-07"},
	} {
		require.Equal(t, of2026(c.want), ensure(t, conn, of2026(c.moment), c.period))
	}
}

// A partition made by hand need not begin at midnight, nor at all.
func TestPartitionsMadeByHandAreRespected(t *testing.T) {
	t.Parallel()
	of2026 := as2026(t)
	conn := pgtest.Connect(t, pgtest.Database(t))
	for _, statement := range []string{
		"CREATE TABLE by_hand PARTITION OF compression_telemetry FOR VALUES FROM ('2026-11-05 06:30:00+00') TO ('2026-11-05 18:00:00+00')",
		"CREATE TABLE before PARTITION OF compression_telemetry FOR VALUES FROM (MINVALUE) TO ('2026-01-01 00:00:00+00')",
	} {
		_, err := conn.Exec(t.Context(), of2026(statement))
		require.NoError(t, err)
	}
	name := func(moment string) (made string) {
		require.NoError(t, conn.QueryRow(t.Context(), "SELECT ensure_partition($1::text::timestamptz, 'day')", of2026(moment)).Scan(&made))
		return made
	}
	require.Equal(t, "by_hand", name("2026-11-05T12:00:00Z"))
	require.Equal(t, "before", name("2025-12-05T12:00:00Z"))
	require.Equal(t, of2026("compression_telemetry_20261105_from_20261105"), name("2026-11-05T01:00:00Z"))
	require.Equal(t, of2026("compression_telemetry_20261105_from_20261105t180000000000"), name("2026-11-05T18:00:00Z"))
	_, err := conn.Exec(t.Context(), "CREATE TABLE rest PARTITION OF compression_telemetry DEFAULT")
	require.NoError(t, err)
	require.Equal(t, of2026("compression_telemetry_20261106"), name("2026-11-06T18:00:00Z"), "a DEFAULT partition holds nobody's place")
}

func TestTheCollectorOfTheVersionBeforeStillGetsItsMonths(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	of2026 := as2026(t)
	writer := pgtest.Connect(t, pgtest.Login(t, url, "dwcp_writer"))
	before := func(moment string) (made string) {
		require.NoError(t, writer.QueryRow(t.Context(), "SELECT public.ensure_partition($1::text::timestamptz)", of2026(moment)).Scan(&made))
		return made
	}
	require.Equal(t, of2026("compression_telemetry_202612"), before("2026-12-24"))
	require.Equal(t, of2026("2026w48 2026-11-23..2026-11-30"), ensure(t, writer, of2026("2026-11-25"), "week"))
	require.Equal(t, of2026("compression_telemetry_2026w48"), before("2026-11-25"), "a week made by a newer one is as good")
}

func TestAPeriodThatIsNoneIsRefused(t *testing.T) {
	t.Parallel()
	conn := pgtest.Connect(t, pgtest.Database(t))
	for _, period := range []string{"'year'", "'Month'", "''", "NULL"} {
		_, err := conn.Exec(t.Context(), "SELECT ensure_partition(now(), "+period+")")
		require.ErrorContains(t, err, "the period must be month, week or day", period)
	}
}

// Neither must a writer get its functions called as dwcp_owner by a table that
// looks like pg_partman's.
func TestAFakeOfPgPartmanIsNotEvenRead(t *testing.T) {
	t.Parallel()
	for _, fake := range []string{
		"CREATE VIEW public.part_config AS SELECT 'public.compression_telemetry'::text AS parent_table, theirs() AS retention, true AS retention_keep_table",
		`CREATE TABLE public.part_config (parent_table text, retention text, retention_keep_table boolean);
			INSERT INTO public.part_config VALUES ('public.compression_telemetry');
			GRANT SELECT ON public.part_config TO PUBLIC;
			ALTER TABLE public.part_config ENABLE ROW LEVEL SECURITY;
			CREATE POLICY p ON public.part_config USING (theirs() IS NOT NULL)`,
		"CREATE TABLE public.part_config (parent_table varchar, retention text, retention_keep_table boolean); GRANT SELECT ON public.part_config TO PUBLIC",
	} {
		url := pgtest.Database(t)
		admin := pgtest.Connect(t, url)
		_, err := admin.Exec(t.Context(), "GRANT CREATE ON SCHEMA public TO PUBLIC")
		require.NoError(t, err)
		writer := pgtest.Connect(t, pgtest.Login(t, url, "dwcp_writer"))
		_, err = writer.Exec(t.Context(), "CREATE FUNCTION public.theirs() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'called as %', current_user; END $$; "+fake)
		require.NoError(t, err)
		_, err = writer.Exec(t.Context(), "SELECT ensure_partition(now(), 'month')")
		require.NoError(t, err, fake)
		_, err = admin.Exec(t.Context(), "DROP OWNED BY "+pgx.Identifier{writer.Config().User}.Sanitize())
		require.NoError(t, err)
	}
}
