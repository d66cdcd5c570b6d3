package faults

import (
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/e2e/e2etest"
)

// rejectedRow is a row of compression_telemetry_rejected.
type rejectedRow struct {
	EventID               *[16]byte
	EventTime             *time.Time
	Reason, Field, Detail string
	Original              []byte
	Truncated             bool
}

// readRejected finds the event of each rejected row and holds the row to what
// is wrong with it.
func (a *account) readRejected() {
	rows, err := a.conn.Query(a.Context(), `SELECT event_id, event_time, reason, coalesce(field, ''), coalesce(detail, ''), original, truncated FROM compression_telemetry_rejected`)
	require.NoError(a, err)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[rejectedRow])
	require.NoError(a, err)
	a.refused = len(all)
	byRequest := map[string]*event{}
	for _, e := range a.events {
		byRequest[e.decision.RequestID] = e
	}
	for i := range all {
		row := &all[i]
		original, readable := a.readOriginal(row)
		var e *event
		if row.EventID != nil {
			e = a.byID[decision.UUID(*row.EventID)]
		} else if readable {
			id, _ := original.record.Attributes().Get("dwcp.request.id")
			e = byRequest[id.AsString()]
		}
		if e == nil || e.good() {
			a.mistake("a rejected row that should not be: %s %s: %s", row.Reason, row.Field, row.Detail)
			continue
		}
		a.found[e]++
		a.compareRejected(e, row, original)
	}
}

// original is what a rejected row holds of its event.
type original struct {
	resource pcommon.Resource
	record   plog.LogRecord
}

func (a *account) readOriginal(row *rejectedRow) (o original, readable bool) {
	if len(row.Original) == 0 || row.Truncated {
		return o, false
	}
	logs, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(row.Original)
	require.NoError(a, err)
	require.Equal(a, 1, logs.LogRecordCount())
	resource := logs.ResourceLogs().At(0)
	return original{resource.Resource(), resource.ScopeLogs().At(0).LogRecords().At(0)}, true
}

// cutAt is how much of an original is kept.
const cutAt = 64 << 10

func (a *account) compareRejected(e *event, row *rejectedRow, o original) {
	t := e.twist
	if row.Reason != string(t.reason) || row.Field != t.field || row.Detail == "" {
		a.mistake("%s (%s): rejected as %s of %q (%s)", e.decision.EventID, t.name, row.Reason, row.Field, row.Detail)
	}
	switch {
	case t.bare:
		if row.Original != nil {
			a.mistake("%s (%s): an original is kept of what lies outside the table's span", e.decision.EventID, t.name)
		}
	case t.cut:
		if !row.Truncated || len(row.Original) != cutAt {
			a.mistake("%s (%s): %d bytes of the original, truncated %t", e.decision.EventID, t.name, len(row.Original), row.Truncated)
		}
	case row.Truncated || len(row.Original) == 0:
		a.mistake("%s (%s): no whole original", e.decision.EventID, t.name)
	default:
		sent := plog.NewLogRecord()
		e.encode(sent)
		if want, got := listed(sent, true), listed(o.record, false); !slices.Equal(want, got) {
			a.mistake("%s (%s): the original is\n%q, must be\n%q", e.decision.EventID, t.name, got, want)
		}
	}
}

// listed is what the event lists of a record, in an order of its own: time and
// attributes, the VM id as its pseudonym where it is sent.
func listed(record plog.LogRecord, sent bool) (all []string) {
	for key, v := range record.Attributes().All() {
		if i, ok := decision.Index(key); !ok || decision.Fields()[i].Place != decision.Attribute {
			continue
		}
		text := v.AsString()
		if key == "dwcp.vm.id" && sent {
			text = e2etest.Pseudonym(text)
			all = append(all, "dwcp.vm.key_id Str k1")
		}
		all = append(all, fmt.Sprintf("%s %s %s", key, v.Type(), text))
	}
	slices.Sort(all)
	return append(all, record.Timestamp().String())
}
