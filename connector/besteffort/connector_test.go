package besteffort

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/connector/connectortest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pipeline"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/novacron/dwcp-telemetry/connector/besteffort/internal/metadata"
	"github.com/novacron/dwcp-telemetry/connector/besteffort/internal/metadatatest"
)

var errFull = errors.New("the queue is full")

// bundle is a started connector before next, and what it tells.
type bundle struct {
	connector *bestEffort
	telemetry *componenttest.Telemetry
	log       *observer.ObservedLogs
}

func start(t *testing.T, next consumer.Logs) *bundle {
	t.Helper()
	b := &bundle{telemetry: componenttest.NewTelemetry()}
	t.Cleanup(func() { require.NoError(t, b.telemetry.Shutdown(context.Background())) })
	core, observed := observer.New(zap.InfoLevel)
	b.log = observed
	set := connectortest.NewNopSettings(metadata.Type)
	set.TelemetrySettings = b.telemetry.NewTelemetrySettings()
	set.Logger = zap.New(core)
	factory := NewFactory()
	router := connector.NewLogsRouter(map[pipeline.ID]consumer.Logs{pipeline.NewIDWithName(pipeline.SignalLogs, "parallel"): next})
	made, err := factory.CreateLogsToLogs(t.Context(), set, factory.CreateDefaultConfig(), router)
	require.NoError(t, err)
	require.NoError(t, made.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, made.Shutdown(context.Background())) })
	b.connector = made.(*bestEffort)
	return b
}

func someLogs(records int) plog.Logs {
	logs := plog.NewLogs()
	resource := logs.ResourceLogs().AppendEmpty()
	resource.Resource().Attributes().PutStr("service.name", "dwcp")
	scope := resource.ScopeLogs().AppendEmpty()
	for i := range records {
		scope.LogRecords().AppendEmpty().Attributes().PutInt("number", int64(i))
	}
	return logs
}

func TestLogsArePassedOnUnchanged(t *testing.T) {
	next := new(consumertest.LogsSink)
	b := start(t, next)
	require.NoError(t, b.connector.ConsumeLogs(t.Context(), someLogs(3)))
	require.Equal(t, []plog.Logs{someLogs(3)}, next.AllLogs())
	require.False(t, b.connector.Capabilities().MutatesData)
	_, err := b.telemetry.GetMetric("otelcol_besteffort_lost")
	require.Error(t, err, "nothing is lost, so nothing is counted")
	require.Zero(t, b.log.Len())
}

func TestAnErrorBehindItStopsThereAndIsCounted(t *testing.T) {
	b := start(t, consumertest.NewErr(errFull))
	require.NoError(t, b.connector.ConsumeLogs(t.Context(), someLogs(3)))
	require.NoError(t, b.connector.ConsumeLogs(t.Context(), someLogs(4)))
	metadatatest.AssertEqualBesteffortLost(t, b.telemetry, []metricdata.DataPoint[int64]{{Value: 7}}, metricdatatest.IgnoreTimestamp())
}

func TestARefusalIsLoggedOnceAMinute(t *testing.T) {
	b := start(t, consumertest.NewErr(errFull))
	for range 100 {
		require.NoError(t, b.connector.ConsumeLogs(t.Context(), someLogs(2)))
	}
	require.Equal(t, 1, b.log.Len())
	entry := b.log.All()[0]
	require.Equal(t, zap.WarnLevel, entry.Level)
	require.Equal(t, map[string]any{"records": int64(2), "error": errFull.Error()}, entry.ContextMap())

	b.connector.told.Store(time.Now().Unix() - warnEvery) // a minute later
	for range 100 {
		require.NoError(t, b.connector.ConsumeLogs(t.Context(), someLogs(2)))
	}
	require.Equal(t, 2, b.log.Len())
}

func TestOnePipelineBehindItThatRefusesDoesNotKeepLogsFromTheOther(t *testing.T) {
	next := new(consumertest.LogsSink)
	set := connectortest.NewNopSettings(metadata.Type)
	router := connector.NewLogsRouter(map[pipeline.ID]consumer.Logs{
		pipeline.NewIDWithName(pipeline.SignalLogs, "dead"):  consumertest.NewErr(errFull),
		pipeline.NewIDWithName(pipeline.SignalLogs, "alive"): next,
	})
	made, err := NewFactory().CreateLogsToLogs(t.Context(), set, NewFactory().CreateDefaultConfig(), router)
	require.NoError(t, err)
	require.NoError(t, made.ConsumeLogs(t.Context(), someLogs(3)))
	require.Equal(t, 3, next.LogRecordCount())
	require.NoError(t, made.Shutdown(t.Context()))
}
