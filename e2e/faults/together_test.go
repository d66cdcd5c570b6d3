package faults

import (
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
)

// ofTheLast spreads events over a time: partitions that nobody has made yet.
func ofTheLast(span time.Duration) source {
	return func(random *rand.Rand, now time.Time, i int) *event {
		e := goodDecisions(random, now, i)
		e.decision.Timestamp = now.UTC().Add(-rand.N(span)).Truncate(time.Microsecond)
		return e
	}
}

const (
	day = 24 * time.Hour
	// within is less than the retention.
	within = 85 * day
)

func TestCollectorsTogetherWriteEachEventOnce(t *testing.T) {
	t.Parallel()
	together := func(name string, collectors int) fault {
		return fault{
			name:  name + " collectors write the same events at once, into months without a partition",
			short: 1, full: 3, collectors: collectors, ownServer: true, events: ofTheLast(within),
			inject: func(r *rig, _ int) { r.waitAcknowledged(1000 * collectors) },
			verify: func(r *rig) {
				requireNoDeadlock(r)
				require.NotZero(r, r.number("SELECT sum(duplicate) FROM compression_telemetry_batches"), "they did write the same")
			},
		}
	}
	all := []fault{together("two", 2)}
	if full {
		all = append(all, together("four", 4))
	}
	run(t, append(all, fault{
		name:  "one of two collectors that write the same events is killed",
		short: 1, full: 5, collectors: 2,
		inject: func(r *rig, _ int) {
			r.collector().kill()
			r.waitAcknowledged(warmUp) // by the other
			r.collector().start()
		},
		verify: noteKills,
	}, atMonthsEnd())...)
}

// requireNoDeadlock looks into PostgreSQL's own log.
func requireNoDeadlock(r *rig) {
	log, err := os.ReadFile(r.server.Log())
	require.NoError(r, err)
	require.NotEmpty(r, log)
	require.NotContains(r, string(log), "deadlock detected")
}

// atMonthsEnd lets PostgreSQL's clock pass from one month to the next, whose
// partition somebody has dropped, while two collectors write.
func atMonthsEnd() fault {
	now := time.Now().UTC()
	end := time.Date(now.Year(), now.Month()+1, 1, 0, 0, 0, 0, time.UTC)
	return fault{
		name:       "a month ends while two collectors write, and the next one's partition is gone",
		collectors: 2, ownServer: true, clock: end.Add(-2 * time.Hour).Sub(now), events: ofTheLast(3 * time.Second),
		inject: func(r *rig, _ int) {
			r.eventually("the next month has a partition", func() bool { return r.number(countFuture) > 0 })
			r.setClock(time.Until(end.Add(-3 * time.Second)))
			r.sql(dropFuture)
			r.eventually("the month ends", func() bool { return r.now().After(end.Add(2 * time.Second)) })
			r.waitAcknowledged(warmUp)
		},
		verify: func(r *rig) {
			requireNoDeadlock(r)
			require.NotZero(r, r.number("SELECT count(*) FROM compression_telemetry WHERE timestamp < $1", end))
			require.NotZero(r, r.number("SELECT count(*) FROM compression_telemetry WHERE timestamp >= $1", end))
		},
	}
}

const (
	future = `FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid WHERE inhparent = 'compression_telemetry'::regclass
		AND substring(pg_get_expr(relpartbound, pg_class.oid) FROM 'FROM \(''([^'']+)''')::timestamptz > now()`
	countFuture = "SELECT count(*) " + future
	dropFuture  = `DO $$ DECLARE t regclass; BEGIN
		FOR t IN SELECT inhrelid::regclass ` + future + ` LOOP
			EXECUTE format('ALTER TABLE compression_telemetry DETACH PARTITION %s', t);
			EXECUTE format('DROP TABLE %s', t);
		END LOOP;
	END $$`
)

func TestAClockThatIsOffDropsNothing(t *testing.T) {
	t.Parallel()
	var all []fault
	for _, c := range []struct {
		name string
		by   time.Duration
	}{
		{"a collector's clock an hour behind PostgreSQL's", time.Hour},
		{"a collector's clock an hour ahead of PostgreSQL's", -time.Hour},
		{"a collector's clock a year behind PostgreSQL's", 365 * day},
		{"a collector's clock a year ahead of PostgreSQL's", -365 * day},
	} {
		all = append(all, fault{
			name:      c.name,
			ownServer: true,
			clock:     c.by,
			events:    ofTheLast(within),
			overlay:   "exporters: {pgtelemetry: {maintenance: {interval: 1s}}}\n", // the one that is killed may be at it
			prepare:   (*rig).keepRetention,
			inject: func(r *rig, _ int) {
				partitions := r.number(countPartitions)
				r.collector().kill() // maintenance comes first after a start
				r.collector().start()
				r.waitAcknowledged(warmUp)
				if r.clockFile != "" {
					r.eventually("a round of maintenance is done", func() bool {
						return r.collector().metric("otelcol_pgtelemetry_maintenance", `round="done"`) > 0
					})
				}
				require.GreaterOrEqual(r, r.number(countPartitions), partitions)
			},
		})
	}
	run(t, all...)
}

// keepRetention has the collectors take out what is older than the retention,
// unless only their sessions as writers have another clock.
func (r *rig) keepRetention() {
	if r.clockFile != "" {
		r.env = append(r.env, "DWCP_MAINTENANCE_URL="+pgtest.Login(r, r.admin, "dwcp_maintainer"))
	}
}

const countPartitions = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'compression_telemetry'::regclass"
