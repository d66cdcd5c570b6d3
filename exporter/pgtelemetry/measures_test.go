package pgtelemetry

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/novacron/dwcp-telemetry/exporter/pgtelemetry/internal/metadata"
	"github.com/novacron/dwcp-telemetry/exporter/pgtelemetry/internal/metadatatest"
	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
)

func startMeasured(t *testing.T, dsn string, change ...func(*Config)) (exporter.Logs, *componenttest.Telemetry) {
	t.Helper()
	telemetry := componenttest.NewTelemetry()
	t.Cleanup(func() { require.NoError(t, telemetry.Shutdown(context.Background())) })
	return startWith(t, metadatatest.NewSettings(telemetry), dsn, change...), telemetry
}

// points are a counter's, by the value of its one attribute.
func points(key string, values map[string]int64) (all []metricdata.DataPoint[int64]) {
	for value, n := range values {
		all = append(all, metricdata.DataPoint[int64]{Value: n, Attributes: attribute.NewSet(attribute.String(key, value))})
	}
	return all
}

// histogram returns a histogram's count and sum, over all attributes.
func histogram[N int64 | float64](t *testing.T, telemetry *componenttest.Telemetry, name string) (count uint64, sum N) {
	t.Helper()
	found, err := telemetry.GetMetric(name)
	require.NoError(t, err)
	for _, p := range found.Data.(metricdata.Histogram[N]).DataPoints {
		count += p.Count
		sum += p.Sum
	}
	return count, sum
}

func TestMetricsSayWhatWasWritten(t *testing.T) {
	t.Parallel()
	admin := pgtest.Database(t)
	b := &testBundle{now: time.Now().UTC(), admin: pgtest.Connect(t, admin)}
	var telemetry *componenttest.Telemetry
	b.Logs, telemetry = startMeasured(t, pgtest.Login(t, admin, "dwcp_writer"))
	_, err := telemetry.GetMetric("otelcol_pgtelemetry_newest_age")
	require.Error(t, err, "nothing is written yet")

	rows := b.fresh(10)
	for i := range rows {
		rows[i].Timestamp = rows[i].Timestamp.Add(-time.Minute)
	}
	rows[2].NetworkTier, rows[3].NetworkTier = 9, 9
	rows[4].Region = ""
	began := time.Now()
	b.push(t, rows...)
	conflicting := rows[6]
	conflicting.RTTMillis++
	b.push(t, rows[5], conflicting, b.fresh(1)[0], rows[2])
	took := time.Since(began).Seconds()
	other := logsOf(rows[7])
	other.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().AppendEmpty().SetEventName("no.decision")
	require.NoError(t, b.ConsumeLogs(t.Context(), other))

	metadatatest.AssertEqualPgtelemetryRecords(t, telemetry,
		points("outcome", map[string]int64{"written": 8, "duplicate": 4, "conflict": 1, "rejected": 3, "ignored": 1}), metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
	reasons := map[string]int64{}
	for _, r := range b.rejected(t) {
		reasons[r.Reason]++
	}
	require.Equal(t, int64(2), reasons["out_of_range"])
	metadatatest.AssertEqualPgtelemetryRejected(t, telemetry, points("reason", reasons), metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
	metadatatest.AssertEqualPgtelemetryBatches(t, telemetry, points("mode", map[string]int64{"direct": 1, "merge": 2}), metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())

	count, size := histogram[int64](t, telemetry, "otelcol_pgtelemetry_batch_size")
	require.Equal(t, uint64(3), count)
	require.Equal(t, int64(10+4+1), size)
	_, all := histogram[float64](t, telemetry, "otelcol_pgtelemetry_batch_duration")
	for _, name := range []string{"batch", "copy", "commit"} {
		count, seconds := histogram[float64](t, telemetry, "otelcol_pgtelemetry_"+name+"_duration")
		require.Equal(t, uint64(3), count, name)
		require.Positive(t, seconds, name)
		require.LessOrEqual(t, seconds, all, name)
	}
	require.Less(t, all, took+time.Since(began).Seconds())
	newest, err := telemetry.GetMetric("otelcol_pgtelemetry_newest_age")
	require.NoError(t, err)
	age := newest.Data.(metricdata.Gauge[float64]).DataPoints[0].Value
	require.InDelta(t, time.Since(b.now).Seconds(), age, 1, "of the one of now, not of those a minute older")
}

func TestFailuresAreCountedByTheirState(t *testing.T) {
	t.Parallel()
	admin := pgtest.Database(t)
	b := &testBundle{now: time.Now().UTC(), admin: pgtest.Connect(t, admin)}
	var telemetry *componenttest.Telemetry
	b.Logs, telemetry = startMeasured(t, pgtest.Login(t, admin, "dwcp_writer"))
	_, err := b.admin.Exec(t.Context(), undisturbed("REVOKE INSERT ON compression_telemetry FROM dwcp_writer"))
	require.NoError(t, err)
	require.Error(t, b.ConsumeLogs(t.Context(), logsOf(b.fresh(1)...)))
	metadatatest.AssertEqualPgtelemetryFailures(t, telemetry, points("sqlstate", map[string]int64{"42501": 1}),
		metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
}

// A clock that is wrong here must not make decisions look old, or of the future.
func TestTheAgeIsByPostgreSQLsClock(t *testing.T) {
	t.Parallel()
	telemetry := componenttest.NewTelemetry()
	builder, err := metadata.NewTelemetryBuilder(telemetry.NewTelemetrySettings())
	require.NoError(t, err)
	m, err := newMeasures(builder)
	require.NoError(t, err)
	theirs := time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC)
	m.wrote(theirs.Add(-time.Minute), theirs)
	m.wrote(theirs.Add(-time.Hour), theirs.Add(time.Second)) // older ones change nothing
	found, err := telemetry.GetMetric("otelcol_pgtelemetry_newest_age")
	require.NoError(t, err)
	require.InDelta(t, 60, found.Data.(metricdata.Gauge[float64]).DataPoints[0].Value, 1)
	require.NoError(t, telemetry.Shutdown(context.Background()))
}
