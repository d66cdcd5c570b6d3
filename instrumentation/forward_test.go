package instrumentation

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/grpc/codes"

	"github.com/novacron/dwcp-telemetry/internal/decisionlog"
)

// encoded is one decision as OTLP.
func encoded(t *testing.T, requestID string) []byte {
	t.Helper()
	logs := plog.NewLogs()
	d := someDecision(requestID)
	d.EventID = [16]byte{1}
	decisionlog.Encode(&d, logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty())
	data, err := (&plog.ProtoMarshaler{}).MarshalLogs(logs)
	require.NoError(t, err)
	return data
}

func newForwarder(t *testing.T, address string, tell func(error)) *Forwarder {
	t.Helper()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"+address)
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20sesame-sesame")
	f, err := NewForwarder(tell)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.Close()) })
	return f
}

func TestForwardedRecordsArriveAsTheyAre(t *testing.T) {
	c := startCollector(t, failOnce(codes.Unavailable, "busy"))
	var told []string
	f := newForwarder(t, c.address, func(err error) { told = append(told, err.Error()) })
	rejected, err := f.Send(within(t), append(encoded(t, "one"), encoded(t, "two")...), 2)
	require.NoError(t, err)
	require.Zero(t, rejected)
	got := c.decisions(t)
	require.Len(t, got, 2)
	require.Equal(t, "one", got[0].RequestID)
	require.Equal(t, "two", got[1].RequestID)
	require.Equal(t, []string{"Bearer sesame-sesame"}, c.metadata[0].Get("authorization"))
	require.Equal(t, []string{"send 2 decisions to dns:///" + c.address + ": trying again: Unavailable: busy"}, told)
}

func TestWhatACollectorRefusesOfTheForwardedIsTold(t *testing.T) {
	c := startCollector(t, failOnce(codes.PermissionDenied, "no Bearer sesame-sesame"))
	f := newForwarder(t, c.address, nil)
	rejected, err := f.Send(within(t), encoded(t, "one"), 1)
	require.EqualError(t, err, "send 1 decisions to dns:///"+c.address+": PermissionDenied: no (withheld)")
	require.Equal(t, 1, rejected)

	c = startCollector(t, func(int, int) (plogotlp.ExportResponse, error) {
		response := plogotlp.NewExportResponse()
		response.PartialSuccess().SetRejectedLogRecords(1)
		return response, nil
	})
	rejected, err = newForwarder(t, c.address, nil).Send(within(t), append(encoded(t, "one"), encoded(t, "two")...), 2)
	require.NoError(t, err)
	require.Equal(t, 1, rejected)
}

func TestForwardingEndsWithItsContext(t *testing.T) {
	f := newForwarder(t, "127.0.0.1:1", nil)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := f.Send(ctx, encoded(t, "one"), 1)
	require.ErrorContains(t, err, "send 1 decisions to dns:///127.0.0.1:1: ")
	_, err = f.Send(t.Context(), []byte("no request"), 1)
	require.ErrorContains(t, err, "read a request of 1 decisions")
	t.Setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "never")
	_, err = NewForwarder(nil)
	require.ErrorContains(t, err, "forwarder from the environment: OTEL_EXPORTER_OTLP_TIMEOUT")
}
