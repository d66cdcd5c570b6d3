package partitions

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
)

const day = 24 * time.Hour

func TestWhatHasExpiredGoesAndTheLedgerStaysTrue(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.load(t, b.now.Add(-200*day), time.Hour, 500)
	b.load(t, b.now.Add(-91*day), time.Hour, 91*24)
	b.exec(t, `INSERT INTO compression_telemetry_rejected (digest, received_at, reason)
		VALUES ('1', now() - interval '91 days', 'missing'), ('2', now() - interval '89 days', 'missing')`)
	before := b.rows(t)
	report := b.run(t, keeper(Defaults()))
	require.WithinDuration(t, b.now.Add(-90*day), report.Cutoff, time.Minute)
	var dropped int64
	for _, d := range report.Dropped {
		dropped += d.Rows
	}
	require.EqualValues(t, before-b.rows(t), dropped+report.Trimmed)
	require.GreaterOrEqual(t, dropped, int64(500))
	require.EqualValues(t, 1, report.Purged)
	require.Equal(t, 1, value[int](t, b.admin, "SELECT count(*) FROM compression_telemetry_rejected"))
	require.False(t, value[time.Time](t, b.admin, "SELECT min(timestamp) FROM compression_telemetry").Before(report.Cutoff))
	b.requireTrueLedger(t)
	for _, name := range b.names(t) {
		require.Contains(t, name, " attached")
	}
	again := b.run(t, keeper(Defaults()))
	require.Empty(t, again.Created)
	require.Empty(t, again.Dropped)
	require.Zero(t, again.Purged)
}

func TestTheRetentionIsExact(t *testing.T) {
	t.Parallel()
	b := setup(t)
	// A row each millisecond around the moment the retention begins at.
	first := b.now.Add(-90 * day).Add(-5 * time.Second).Truncate(time.Millisecond)
	b.load(t, first, time.Millisecond, 20_000)
	k := keeper(Defaults())
	k.batchRows = 700
	report := b.run(t, k)
	want := int64(report.Cutoff.Sub(first)/time.Millisecond) + 1 // those before it
	if report.Cutoff.Sub(first)%time.Millisecond == 0 {
		want--
	}
	require.Greater(t, want, int64(5000))
	var dropped int64 // a month may end just there
	for _, d := range report.Dropped {
		dropped += d.Rows
	}
	require.Equal(t, want, report.Trimmed+dropped)
	require.Zero(t, value[int](t, b.admin, "SELECT count(*) FROM compression_telemetry WHERE timestamp < $1", report.Cutoff))
	require.EqualValues(t, 20_000-want, b.rows(t))
	b.requireTrueLedger(t)
}

func TestRowsOfOneMomentAreTrimmedInSeveralBatches(t *testing.T) {
	t.Parallel()
	b := setup(t)
	at := b.now.Add(-90 * day).Add(-time.Minute)
	b.load(t, at, 0, 95)
	b.load(t, b.now.Add(-90*day).Add(time.Hour), 0, 5)
	k := keeper(Defaults())
	k.batchRows = 10
	batches := 0
	k.after = func(step, _ string) {
		if step == "trim" {
			batches++
		}
	}
	report := b.run(t, k)
	if report.Trimmed > 0 { // else a month ended in that minute
		require.EqualValues(t, 95, report.Trimmed)
		require.Equal(t, 10, batches)
	}
	require.Equal(t, 5, b.rows(t))
	b.requireTrueLedger(t)
}

// The day's partition holds its moment in the middle, wherever in the month we
// are: there is always something to trim.
func TestAPartitionTheRetentionEndsInIsTrimmedNotDropped(t *testing.T) {
	t.Parallel()
	b := setup(t)
	cutoff := b.now.Add(-90 * day)
	b.exec(t, "CREATE TABLE around PARTITION OF compression_telemetry FOR VALUES FROM ('"+cutoff.Add(-time.Hour).Format(time.RFC3339)+"') TO ('"+cutoff.Add(time.Hour).Format(time.RFC3339)+"')")
	b.exec(t, "ALTER TABLE around OWNER TO dwcp_owner")
	b.load(t, cutoff.Add(-time.Minute), time.Second, 600)
	report := b.run(t, keeper(Defaults()))
	require.Empty(t, report.Dropped)
	require.Positive(t, report.Trimmed)
	require.False(t, value[time.Time](t, b.admin, "SELECT min(timestamp) FROM around").Before(report.Cutoff))
	b.requireTrueLedger(t)
}

func TestOnlyOneSessionMaintainsAtATime(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.load(t, b.now.Add(-200*day), time.Hour, 10)
	first := keeper(Defaults())
	first.after = func(step, _ string) {
		if step != "mark" {
			return
		}
		report, err := keeper(Defaults()).Run(t.Context(), b.login(t, "dwcp_maintainer"))
		assert.NoError(t, err)
		assert.Equal(t, &Report{Busy: true}, report)
	}
	require.Len(t, b.run(t, first).Dropped, 1)
}

func TestTwelveMaintainersAtOnceDoEverythingOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	settings := Settings{Period: Week, Ahead: 6, Retention: 30 * day}
	for i := range 6 {
		b.load(t, b.now.Add(-time.Duration(60+i)*31*day), time.Minute, 200)
	}
	b.load(t, b.now.Add(-32*day), time.Hour, 32*24)
	before := b.rows(t)
	var all sync.WaitGroup
	var mu sync.Mutex
	dropped, created := map[string]int{}, map[string]int{}
	var removed int64
	for range 12 {
		conn := b.login(t, "dwcp_maintainer")
		all.Go(func() {
			for range 3 {
				report, err := keeper(settings).Run(t.Context(), conn)
				if !assert.NoError(t, err) {
					return
				}
				assert.Empty(t, report.Postponed)
				mu.Lock()
				for _, d := range report.Dropped {
					dropped[d.Partition]++
					removed += d.Rows
				}
				for _, name := range report.Created {
					created[name]++
				}
				removed += report.Trimmed
				mu.Unlock()
				_, err = EnsureAhead(t.Context(), conn, settings)
				assert.NoError(t, err)
			}
		})
	}
	all.Wait()
	b.run(t, keeper(settings)) // the last of the twelve may have found it busy
	for name, n := range dropped {
		require.Equal(t, 1, n, name)
	}
	for name, n := range created {
		require.Equal(t, 1, n, name)
	}
	require.GreaterOrEqual(t, len(dropped), 6)
	require.LessOrEqual(t, removed, int64(before-b.rows(t)))
	b.requireTrueLedger(t)
	b.requireCovered(t, settings)
}

// requireCovered holds the partitions ahead to the settings, each moment held by
// one.
func (b *testBundle) requireCovered(t testing.TB, s Settings) {
	t.Helper()
	survey, err := Look(t.Context(), b.admin, s)
	require.NoError(t, err)
	require.False(t, CoveredUntil(survey.Partitions, survey.Now).Before(survey.aheadUntil))
	for i, p := range survey.Partitions[1:] {
		require.False(t, p.From.Before(survey.Partitions[i].To), "%s overlaps %s", p.Name, survey.Partitions[i].Name)
	}
}

func TestWhoMayNotMaintainIsTold(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.load(t, b.now.Add(-200*day), time.Hour, 10)
	for _, role := range []string{"dwcp_writer", "dwcp_ml_reader"} {
		_, err := keeper(Defaults()).Run(t.Context(), b.login(t, role))
		require.ErrorIs(t, err, ErrNotMaintainer)
		require.ErrorContains(t, err, "42501")
	}
	require.Equal(t, 10, b.rows(t))
	_, err := keeper(Defaults()).Run(t.Context(), pgtest.Connect(t, pgtest.EmptyDatabase(t)))
	require.ErrorIs(t, err, ErrNotMigrated)
}

func TestTheConnectionIsLeftAsItWas(t *testing.T) {
	t.Parallel()
	b := setup(t)
	conn := b.login(t, "dwcp_maintainer")
	_, err := keeper(Defaults()).Run(t.Context(), conn)
	require.NoError(t, err)
	require.Equal(t, conn.Config().User, value[string](t, conn, "SELECT current_user::text"))
	require.Equal(t, "0", value[string](t, conn, "SHOW lock_timeout"))
	require.Zero(t, value[int](t, b.admin, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"))
}

// What somebody detaches to keep it is none of the keeper's business.
func TestATableDetachedByHandStays(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.load(t, b.now.Add(-200*day), time.Minute, 10)
	name := month(b.now.Add(-200 * day))
	b.exec(t, "ALTER TABLE compression_telemetry DETACH PARTITION "+name)
	report := b.run(t, keeper(Defaults()))
	require.Empty(t, report.Dropped)
	require.Len(t, report.Warnings, 1)
	require.Contains(t, report.Warnings[0], name+" is named like a partition but is none")
	require.Equal(t, 10, value[int](t, b.admin, "SELECT count(*) FROM "+name))
}

// The mark of a round that got no further must not outlive a longer retention:
// once detached by hand, the table would be taken for the keeper's.
func TestALongerRetentionTakesTheMarkAway(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.load(t, b.now.Add(-200*day), time.Minute, 10)
	name := month(b.now.Add(-200 * day))
	b.exec(t, "COMMENT ON TABLE "+name+" IS '"+mark+"'")
	b.run(t, keeper(Settings{Period: Month, Ahead: 2, Retention: 365 * day}))
	require.Nil(t, value[*string](t, b.admin, "SELECT obj_description($1::text::regclass, 'pg_class')", name))
	require.Equal(t, 10, b.rows(t))
}

// A partition that cannot be dropped does not keep the others.
func TestOnePartitionInTheWayDoesNotKeepTheOthers(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.load(t, b.now.Add(-200*day), time.Minute, 10)
	b.load(t, b.now.Add(-160*day), time.Minute, 10)
	b.load(t, b.now.Add(-90*day-time.Hour), time.Minute, 10)
	b.exec(t, "CREATE VIEW somebodys AS SELECT * FROM "+month(b.now.Add(-200*day)))
	report, err := keeper(Defaults()).Run(t.Context(), b.login(t, "dwcp_maintainer"))
	require.ErrorContains(t, err, "drop the partition "+month(b.now.Add(-200*day)))
	require.ErrorContains(t, err, "2BP01")
	require.NotEmpty(t, report.Dropped)
	require.Zero(t, b.rows(t))
	b.exec(t, "DROP VIEW somebodys")
	b.run(t, keeper(Defaults()))
	b.requireTrueLedger(t)
}

// Partitions are ensure_partition's, which makes them the owner's; one that an
// administrator made is his until he gives it away.
func TestAPartitionThatIsSomebodyElsesIsTold(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, age := range map[string]time.Duration{"expired": 200 * day, "around": 91 * day} {
		from := b.now.Add(-age)
		b.exec(t, "CREATE TABLE "+name+" PARTITION OF compression_telemetry FOR VALUES FROM ('"+from.Format(time.RFC3339)+"') TO ('"+from.Add(2*day).Format(time.RFC3339)+"')")
		b.load(t, from.Add(time.Minute), time.Second, 10)
	}
	_, err := keeper(Defaults()).Run(t.Context(), b.login(t, "dwcp_maintainer"))
	require.ErrorIs(t, err, ErrNotOwned)
	require.ErrorContains(t, err, "mark the partition expired: it does not belong to dwcp_owner")
	require.ErrorContains(t, err, "look for expired rows in around: it does not belong to dwcp_owner")
	require.Equal(t, 20, b.rows(t))
	b.exec(t, "ALTER TABLE expired OWNER TO dwcp_owner; ALTER TABLE around OWNER TO dwcp_owner")
	b.run(t, keeper(Defaults()))
	require.Zero(t, b.rows(t))
	b.requireTrueLedger(t)
}

// No clock but PostgreSQL's: seen from a later moment of that one, more has
// expired and other partitions are ahead.
func TestTheClockIsPostgreSQLs(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.load(t, b.now.Add(-40*day), time.Minute, 10)
	require.Empty(t, b.run(t, keeper(Defaults())).Dropped)
	later := keeper(Defaults())
	later.later = 100 * day
	report := b.run(t, later)
	require.NotEmpty(t, report.Dropped)
	require.WithinDuration(t, b.now.Add(10*day), report.Cutoff, time.Minute)
	require.Zero(t, b.rows(t))
	b.requireTrueLedger(t)
}

func TestPlanChangesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.load(t, b.now.Add(-200*day), time.Hour, 10)
	b.load(t, b.now.Add(-90*day-time.Minute), time.Second, 100)
	b.exec(t, "INSERT INTO compression_telemetry_rejected (digest, received_at, reason) VALUES ('1', now() - interval '91 days', 'missing')")
	b.exec(t, "UPDATE compression_telemetry_batches SET committed_at = now() - interval '5 hours'")
	tx, err := b.admin.BeginTx(t.Context(), pgx.TxOptions{AccessMode: pgx.ReadOnly})
	require.NoError(t, err)
	defer func() { _ = tx.Rollback(context.Background()) }()
	plan, err := keeper(Defaults()).Plan(t.Context(), tx)
	require.NoError(t, err)
	require.True(t, plan.Removes())
	var steps []string
	for _, a := range plan.Actions {
		steps = append(steps, string(a.Step))
		require.NotEmpty(t, a.Why)
	}
	require.Contains(t, strings.Join(steps, " "), "create expire")
	require.Contains(t, strings.Join(steps, " "), "purge fold")
	require.NoError(t, tx.Rollback(t.Context()))
	b.run(t, keeper(Defaults()))
	after, err := keeper(Defaults()).Plan(t.Context(), b.admin)
	require.NoError(t, err)
	for _, a := range after.Actions {
		require.Equal(t, Trim, a.Step, "only time has passed: %s", a.Why)
	}
}
