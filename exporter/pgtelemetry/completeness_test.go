package pgtelemetry

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
)

// requireCompleteness waits for what a collector says once it has looked.
func requireCompleteness(t *testing.T, telemetry *componenttest.Telemetry, arrived, numbered int64) {
	t.Helper()
	gauge := func(name string) int64 {
		found, err := telemetry.GetMetric("otelcol_pgtelemetry_recorder_" + name)
		if err != nil {
			return -1
		}
		return found.Data.(metricdata.Gauge[int64]).DataPoints[0].Value
	}
	require.Eventually(t, func() bool { return gauge("numbered") >= 0 }, time.Minute, 10*time.Millisecond)
	require.Equal(t, []int64{arrived, numbered}, []int64{gauge("arrived"), gauge("numbered")})
}

// Two Recorders, 4 of 5 and 2 of 2 came, through two collectors.
func TestEachCollectorMeasuresWhatCameThroughAllOfThem(t *testing.T) {
	t.Parallel()
	b := setup(t)
	rows := b.fresh(6)
	one, two := decision.UUID(uuid.New()), decision.UUID(uuid.New())
	for i, sequence := range []int64{1, 2, 3, 5} {
		rows[i].RecorderID, rows[i].RecorderSequence = decision.Some(one), decision.Some(sequence)
	}
	for i, sequence := range []int64{1, 2} {
		rows[4+i].RecorderID, rows[4+i].RecorderSequence = decision.Some(two), decision.Some(sequence)
	}
	b.push(t, rows[0], rows[1], rows[4])
	other, _ := startExporter(t, pgtest.Login(t, b.url, "dwcp_writer"))
	require.NoError(t, other.ConsumeLogs(t.Context(), logsOf(rows[2], rows[3], rows[5])))

	_, telemetry := startMeasured(t, pgtest.Login(t, b.url, "dwcp_writer"))
	requireCompleteness(t, telemetry, 6, 7)
}

func TestOfNoNumbersNoneAreMissing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, telemetry := startMeasured(t, pgtest.Login(t, b.url, "dwcp_writer"))
	requireCompleteness(t, telemetry, 0, 0)
}

// Who may not read the ledger cannot count, and writes all the same.
func TestWhatCannotBeCountedIsToldAndHoldsUpNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, err := b.admin.Exec(t.Context(), "ALTER TABLE compression_telemetry_batches RENAME COLUMN recorders TO recorder_numbers")
	require.NoError(t, err)
	e, log := startExporter(t, pgtest.Login(t, b.url, "dwcp_writer"))
	require.NotNil(t, e)
	require.Eventually(t, func() bool {
		return log.FilterMessage(inTrouble[counting]).FilterFieldKey("advice").Len() == 1
	}, time.Minute, 10*time.Millisecond)
}
