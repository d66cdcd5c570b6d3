package decisionlog

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/decision/decisiontest"
)

// FuzzDecode reads any OTLP protobuf. Decode must not panic, and what it finds
// nothing wrong with must survive Encode and Decode.
func FuzzDecode(f *testing.F) {
	d := decisiontest.Full()
	resource, record := encoded(&d)
	data, _ := Original(resource.Resource(), record, KeepAnyVMID)
	f.Add(data)
	Mark(record, &decision.FieldError{Reason: decision.Missing, Key: "timestamp"})
	appendTwice(record.Attributes(), "dwcp.vm.id")
	logs := plog.NewLogs()
	resource.CopyTo(logs.ResourceLogs().AppendEmpty())
	data, err := (&plog.ProtoMarshaler{}).MarshalLogs(logs)
	require.NoError(f, err)
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		logs, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(data)
		if err != nil {
			return
		}
		for _, resource := range logs.ResourceLogs().All() {
			for _, scope := range resource.ScopeLogs().All() {
				for _, record := range scope.LogRecords().All() {
					survives(t, resource, record)
				}
			}
		}
	})
}

func survives(t *testing.T, resource plog.ResourceLogs, record plog.LogRecord) {
	t.Helper()
	want, problems := decoded(resource, record, Emitted)
	if len(problems) > 0 {
		return
	}
	again, copied := encoded(&want)
	got, problems := decoded(again, copied, Emitted)
	require.Empty(t, problems)
	require.Equal(t, want, got)
	decision.AppendCopyRow(nil, &got)
}
