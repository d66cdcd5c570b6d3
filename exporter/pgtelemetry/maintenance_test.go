package pgtelemetry

import (
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
	"github.com/novacron/dwcp-telemetry/internal/partitions"
)

func maintained(t *testing.T, url string) func(*Config) {
	t.Helper()
	dsn := pgtest.Login(t, url, "dwcp_maintainer")
	return func(c *Config) {
		c.Maintenance.DSN, c.Maintenance.Interval = configopaque.String(dsn), time.Second
	}
}

func (b *testBundle) eventually(t *testing.T, sql string) {
	t.Helper()
	require.Eventually(t, func() bool {
		var is bool
		require.NoError(t, b.admin.QueryRow(t.Context(), sql).Scan(&is))
		return is
	}, time.Minute, 20*time.Millisecond, sql)
}

func TestACollectorWithAMaintainersURLKeepsTheRetention(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	old := setupOn(t, url, func(c *Config) { c.Retention = 400 * 24 * time.Hour })
	rows := old.fresh(3)
	rows[0].Timestamp = rows[0].Timestamp.AddDate(0, 0, -200)
	rows[1].Timestamp = rows[1].Timestamp.Add(-90*24*time.Hour - time.Hour)
	old.push(t, rows...)
	old.requireStored(t, rows...)

	b := setupOn(t, url, maintained(t, url))
	b.eventually(t, "SELECT count(*) = 1 FROM compression_telemetry")
	b.requireStored(t, rows[2])
	b.eventually(t, "SELECT sum(written) - sum(removed) = 1 FROM compression_telemetry_batches")
	require.Eventually(t, func() bool { return b.log.FilterMessage("what is older than the retention is taken out").Len() > 0 }, time.Minute, 10*time.Millisecond)
	b.push(t, b.fresh(5)...)
	require.Zero(t, b.log.FilterMessageSnippet("cannot be taken out").Len())
	require.Equal(t, 1, b.log.FilterMessageSnippet("this collector takes out what is older").Len())
}

func TestACollectorWithoutOneTakesNothingOutAndSaysSo(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *Config) { c.Retention = 400 * 24 * time.Hour })
	old := b.fresh(1)
	old[0].Timestamp = old[0].Timestamp.AddDate(0, 0, -200)
	b.push(t, old...)
	other, log := startExporter(t, pgtest.Login(t, b.url, "dwcp_writer"))
	require.NoError(t, other.ConsumeLogs(t.Context(), logsOf(b.fresh(1)...)))
	require.Equal(t, 1, log.FilterMessageSnippet("maintenance::dsn is empty").Len())
	b.eventually(t, "SELECT count(*) >= 4 FROM pg_inherits WHERE inhparent = 'compression_telemetry'::regclass")
	require.Len(t, b.stored(t), 2)
}

func TestAMaintainerThatMayNotIsTroubleOfMaintenanceOnly(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	dsn := pgtest.Login(t, url, "dwcp_writer")
	b := setupOn(t, url, func(c *Config) { c.Maintenance.DSN = configopaque.String(dsn) })
	require.Eventually(t, func() bool {
		return b.log.FilterMessageSnippet("what is older than the retention cannot be taken out").
			FilterFieldKey("advice").Len() > 0
	}, time.Minute, 10*time.Millisecond)
	entry := b.log.FilterMessageSnippet("cannot be taken out").All()[0].ContextMap()
	require.Equal(t, "grant the role dwcp_maintainer to the login of maintenance::dsn", entry["advice"])
	rows := b.fresh(3)
	b.push(t, rows...)
	b.requireStored(t, rows...)
}

// Behind a pooler neither the session's lock nor its role would hold.
func TestMaintenanceThroughAPoolerIsRefused(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	dsn := bouncer(t, url, 3)
	b := setupOn(t, url, func(c *Config) { c.Maintenance.DSN = configopaque.String(dsn) })
	require.Eventually(t, func() bool {
		return b.log.FilterMessageSnippet("cannot be taken out").Len() > 0
	}, time.Minute, 10*time.Millisecond)
	entry := b.log.FilterMessageSnippet("cannot be taken out").All()[0].ContextMap()
	require.Equal(t, "let maintenance::dsn lead to PostgreSQL itself", entry["advice"])
}

func TestPartitionsAreMadeByTheConfiguredPeriodAheadAndOnDemand(t *testing.T) {
	t.Parallel()
	for period, suffix := range map[partitions.Period]string{partitions.Week: `\d{4}w\d\d`, partitions.Day: `\d{8}`} {
		t.Run(string(period), func(t *testing.T) {
			t.Parallel()
			b := setup(t, func(c *Config) { c.Partitions.Period, c.Partitions.Ahead = period, 3 })
			rows := b.fresh(40)
			for i := range rows { // every second day of eighty
				rows[i].Timestamp = rows[i].Timestamp.AddDate(0, 0, -2*i)
			}
			b.push(t, rows...)
			b.requireStored(t, rows...)
			b.eventually(t, "SELECT count(*) = 3 FROM compression_telemetry_partitions() WHERE lower > now()")
			b.eventually(t, "SELECT bool_and(partition::text ~ '^compression_telemetry_"+suffix+"$') FROM compression_telemetry_partitions()")
		})
	}
}

// A month's end between two rows of a batch, in the midst of a partition that
// somebody made by hand.
func TestABatchAcrossGapsGetsAllItsPartitions(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.eventually(t, "SELECT count(*) = 3 FROM compression_telemetry_partitions()")
	noon := time.Date(b.now.Year(), b.now.Month(), b.now.Day(), 12, 0, 0, 0, time.UTC).AddDate(0, 0, -70)
	_, err := b.admin.Exec(t.Context(), "CREATE TABLE by_hand PARTITION OF compression_telemetry FOR VALUES FROM ('"+
		noon.Format(time.RFC3339)+"') TO ('"+noon.Add(time.Hour).Format(time.RFC3339)+"')")
	require.NoError(t, err)
	rows := b.fresh(4)
	for i, at := range []time.Time{noon.Add(-time.Hour), noon.Add(time.Minute), noon.Add(2 * time.Hour), noon.AddDate(0, 0, 3)} {
		rows[i].Timestamp = at
	}
	b.push(t, rows...)
	b.requireStored(t, rows...)
}

func TestPartitionsAndRetentionAreMeasured(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	old := setupOn(t, url, func(c *Config) { c.Retention = 400 * 24 * time.Hour })
	rows := old.fresh(5)
	for i := range rows {
		rows[i].Timestamp = rows[i].Timestamp.AddDate(0, 0, -200)
	}
	old.push(t, rows...)
	_, telemetry := startMeasured(t, pgtest.Login(t, url, "dwcp_writer"), maintained(t, url))
	gauge := func(name string) (value float64) {
		found, err := telemetry.GetMetric("otelcol_pgtelemetry_" + name)
		if err != nil {
			return -1
		}
		switch data := found.Data.(type) {
		case metricdata.Gauge[int64]:
			value = float64(data.DataPoints[0].Value)
		case metricdata.Gauge[float64]:
			value = data.DataPoints[0].Value
		case metricdata.Sum[int64]:
			for _, p := range data.DataPoints {
				if way, ok := p.Attributes.Value("way"); !ok || way.AsString() == "dropped" {
					value += float64(p.Value)
				}
			}
		}
		return value
	}
	for name, reached := range map[string]func(float64) bool{
		"partitions_ahead":   func(v float64) bool { return v == 2 },
		"partitions_covered": func(v float64) bool { return v > 58 && v < 93 },
		"partitions_expired": func(v float64) bool { return v == 0 },
		"maintenance":        func(v float64) bool { return v >= 1 },
		"removed":            func(v float64) bool { return v == 5 },
	} {
		require.Eventually(t, func() bool { return reached(gauge(name)) }, time.Minute, 20*time.Millisecond, name)
	}
}

// Rows are new and rows come again, by COPY and by merging, while partitions
// are made, detached, finished after an interruption and dropped: no batch fails,
// none waits a second for a lock.
func TestBatchesAreWrittenBesideMaintenance(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	b := setupOn(t, url, func(c *Config) { c.LockTimeout = time.Second })
	for i := range 4 {
		_, err := b.admin.Exec(t.Context(), "SELECT ensure_partition(now() - make_interval(days => $1), 'day')", 100+i)
		require.NoError(t, err)
	}
	stop := make(chan struct{})
	var pushing sync.WaitGroup
	batches := make([]int, 2)
	for i := range batches {
		pushing.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				logs := logsOf(b.fresh(50)...)
				for range 2 { // the second time they are all there
					if !assert.NoError(t, b.ConsumeLogs(t.Context(), logs)) {
						return
					}
				}
				batches[i]++
				time.Sleep(10 * time.Millisecond)
			}
		})
	}
	export, err := pgtest.Connect(t, url).BeginTx(t.Context(), pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
	require.NoError(t, err)
	_, err = export.Exec(t.Context(), "SELECT count(*) FROM compression_telemetry")
	require.NoError(t, err)
	other := pgtest.Connect(t, url)
	_, err = other.Exec(t.Context(), "SET lock_timeout = '200ms'")
	require.NoError(t, err)
	_, err = other.Exec(t.Context(), "ALTER TABLE compression_telemetry DETACH PARTITION "+
		"compression_telemetry_"+b.now.AddDate(0, 0, -100).Format("20060102")+" CONCURRENTLY")
	require.ErrorContains(t, err, "55P03", "the export is in the way")
	keeper := pgtest.Connect(t, pgtest.Login(t, url, "dwcp_maintainer"))
	settings := partitions.Settings{Period: partitions.Day, Ahead: 80, Retention: 90 * 24 * time.Hour}
	report, err := partitions.New(settings).Run(t.Context(), keeper)
	require.NoError(t, err)
	require.NotEmpty(t, report.Postponed)
	require.NotEmpty(t, report.Created)
	require.NoError(t, export.Commit(t.Context()))
	report, err = partitions.New(settings).Run(t.Context(), keeper)
	require.NoError(t, err)
	require.Len(t, report.Dropped, 4)
	close(stop)
	pushing.Wait()
	require.Equal(t, 50*(batches[0]+batches[1]), b.ledger(t).written)
	require.Equal(t, b.ledger(t).written, b.ledger(t).duplicate)
	require.Len(t, b.stored(t), b.ledger(t).written)
	require.Positive(t, batches[0]+batches[1])
}
