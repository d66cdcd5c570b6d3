package pgtelemetry

import (
	"bytes"
	"context"
	"encoding/binary"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/pdata/plog"
	pdatarequest "go.opentelemetry.io/collector/pdata/xpdata/request"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/decision/decisiontest"
	"github.com/novacron/dwcp-telemetry/internal/decisionlog"
)

func testEncoding() (queueEncoding, *observer.ObservedLogs) {
	core, log := observer.New(zap.InfoLevel)
	return queueEncoding{&pgExporter{config: newDefaultConfig(), log: zap.New(core)}}, log
}

// mixed is a request with a good decision, one with a trace context, and a
// refused one.
func mixed() *request {
	rows := make([]decision.Decision, 3)
	for i := range rows {
		rows[i] = decisiontest.Full()
		rows[i].EventID[0] = byte(i + 1)
	}
	rows[2].NetworkTier = 9
	logs := logsOf(rows...)
	record := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(1)
	record.SetTraceID([16]byte{1})
	record.SetSpanID([8]byte{2})
	record.SetFlags(1)
	return fromLogs(new(decisionlog.Decoder), logs, false)
}

func unmarshal(t testing.TB, q queueEncoding, item []byte) (context.Context, *request) {
	t.Helper()
	ctx, got, err := q.Unmarshal(item)
	require.NoError(t, err, "the queue would delete the item")
	return ctx, got.(*request)
}

func TestWhatIsQueuedIsReadBack(t *testing.T) {
	t.Parallel()
	q, log := testEncoding()
	want := mixed()
	require.Len(t, want.rows, 2)
	require.Len(t, want.rejections, 1)
	item, err := q.Marshal(t.Context(), want)
	require.NoError(t, err)
	_, got := unmarshal(t, q, item)
	require.Equal(t, want, got)
	require.NotNil(t, got.rows[1].trace)
	require.Zero(t, log.Len())
}

func TestSpanContextAndClientGoThroughTheQueue(t *testing.T) {
	t.Parallel()
	q, _ := testEncoding()
	span := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled})
	ctx := trace.ContextWithSpanContext(t.Context(), span)
	ctx = client.NewContext(ctx, client.Info{Metadata: client.NewMetadata(map[string][]string{"tenant": {"a"}})})
	item, err := q.Marshal(ctx, mixed())
	require.NoError(t, err)
	got, _ := unmarshal(t, q, item)
	require.True(t, span.Equal(trace.SpanContextFromContext(got)))
	require.Equal(t, []string{"a"}, client.FromContext(got).Metadata.Get("tenant"))
}

// itemOf is an item as a version with other columns writes it.
func itemOf(t testing.TB, layout string, rows ...[]byte) []byte {
	t.Helper()
	from, err := pdatarequest.MarshalLogs(t.Context(), plog.NewLogs())
	require.NoError(t, err)
	body := appendBytes(appendBytes(nil, from), layout)
	body = binary.AppendUvarint(body, uint64(len(rows)))
	for _, r := range rows {
		body = appendTrace(appendBytes(body, r), nil)
	}
	return seal(append(body, 0))
}

// layoutWithout is what a version lacked that did not have a column yet.
func layoutWithout(d *decision.Decision, column string) (layout string, row []byte) {
	var lines []string
	row = binary.BigEndian.AppendUint16(row, uint16(len(decision.Fields())-1))
	for _, f := range decision.Fields() {
		if f.Column != column {
			lines = append(lines, f.Column+" "+f.SQLType)
			row = f.AppendCopy(row, d)
		}
	}
	return strings.Join(lines, "\n"), row
}

func TestAQueueOfAnOlderVersionIsRead(t *testing.T) {
	t.Parallel()
	q, log := testEncoding()
	d := decisiontest.Full()
	layout, old := layoutWithout(&d, "oracle_version")
	_, got := unmarshal(t, q, itemOf(t, layout, old))
	d.OracleVersion = decision.Opt[string]{}
	require.Equal(t, requestOf(d), got)
	require.Zero(t, log.Len())
}

func TestARowThatLacksWhatThisVersionAsksForIsRejectedWithItsOriginal(t *testing.T) {
	t.Parallel()
	q, _ := testEncoding()
	d := decisiontest.Full()
	layout, old := layoutWithout(&d, "region")
	_, got := unmarshal(t, q, itemOf(t, layout, old))
	require.Empty(t, got.rows)
	require.Len(t, got.rejections, 1)
	require.Equal(t, decision.Missing, got.rejections[0].reason)
	require.Equal(t, d.EventID, got.rejections[0].eventID)
	require.Contains(t, string(got.rejections[0].original), d.RequestID)
}

func TestAQueueOfANewerVersionIsReadAndItsColumnsAreNamed(t *testing.T) {
	t.Parallel()
	q, log := testEncoding()
	d := decisiontest.Full()
	newer := decision.AppendCopyRow(nil, &d)
	binary.BigEndian.PutUint16(newer, uint16(len(decision.Fields())+1))
	newer = append(newer, 0, 0, 0, 3, 'r', 'e', 'd')
	_, got := unmarshal(t, q, itemOf(t, decision.CopyLayout+"\ncolour text", newer))
	require.Equal(t, requestOf(d), got)
	require.Equal(t, []any{"colour"}, log.All()[0].ContextMap()["columns"])
}

func TestAQueueOfOTLPIsRead(t *testing.T) {
	t.Parallel()
	q, _ := testEncoding()
	d := decisiontest.Full()
	withContext, err := pdatarequest.MarshalLogs(t.Context(), logsOf(d))
	require.NoError(t, err)
	plain, err := (&plog.ProtoMarshaler{}).MarshalLogs(logsOf(d))
	require.NoError(t, err)
	for _, item := range [][]byte{withContext, plain} {
		_, got := unmarshal(t, q, item)
		require.Equal(t, requestOf(d), got)
	}
}

func TestARawVMIDIsNeverQueuedNorReadFromAQueue(t *testing.T) {
	t.Parallel()
	q, _ := testEncoding()
	d := decisiontest.Full()
	d.VMID = "vm-secret-047"
	item, err := q.Marshal(t.Context(), requestOf(d))
	require.NoError(t, err)
	require.NotContains(t, string(item), d.VMID)
	_, got := unmarshal(t, q, itemOf(t, decision.CopyLayout, decision.AppendCopyRow(nil, &d)))
	require.Equal(t, decision.RawVMID, got.rejections[0].reason)
	require.NotContains(t, string(got.rejections[0].original), d.VMID)
}

func TestADamagedItemIsKeptAmongTheRejected(t *testing.T) {
	t.Parallel()
	q, log := testEncoding()
	whole, err := q.Marshal(t.Context(), mixed())
	require.NoError(t, err)
	flipped := bytes.Clone(whole)
	flipped[len(flipped)/2] ^= 1
	body, err := unseal(whole)
	require.NoError(t, err)
	for name, item := range map[string][]byte{
		"a bit flipped": flipped, "cut": whole[:len(whole)-1], "cut with a fitting checksum": seal(body[:len(body)-1]), "magic only": []byte(itemMagic),
		"a later version": append([]byte("\xdcDT\x02"), whole[4:]...), "text": []byte("hello"),
	} {
		_, got := unmarshal(t, q, item)
		require.Empty(t, got.rows, name)
		require.Len(t, got.rejections, 1, name)
		require.Equal(t, decision.Unreadable, got.rejections[0].reason, name)
		require.Equal(t, item, got.rejections[0].original, name)
	}
	require.Equal(t, 6, log.FilterMessageSnippet("cannot be read").Len())
	_, _, err = q.Unmarshal(nil)
	require.ErrorIs(t, err, errNoItem, "the queue passes over an index without an item")

	b := setup(t)
	_, got := unmarshal(t, q, flipped)
	e := b.Logs.(*decisionsOnly).exporter
	for range 2 { // a second time it is a duplicate
		require.NoError(t, e.push(t.Context(), got))
	}
	require.Equal(t, flipped, b.rejected(t)[0].Original)
	require.Equal(t, ledger{received: 2, rejected: 1, duplicate: 1}, b.ledger(t))
}

// A row whose bytes fit its layout and no column: only PostgreSQL finds that.
func TestARowThatOnlyPostgreSQLFindsToBeDamagedIsKept(t *testing.T) {
	t.Parallel()
	b := setup(t)
	good := b.fresh(2)
	req := requestOf(good...)
	bad := bytes.Clone(req.rows[1].copied)
	tier := bytes.Index(bad, []byte{0, 0, 0, 4, 0, 0, 0, 3})
	bad = slices.Replace(bad, tier, tier+8, 0, 0, 0, 3, 0, 0, 3) // three bytes for an integer
	req.rows = req.rows[:1]
	req.add(bad, nil, false)
	require.Len(t, req.rows, 2)
	require.NoError(t, b.Logs.(*decisionsOnly).exporter.push(t.Context(), req))
	b.requireStored(t, good[0])
	require.Equal(t, "unreadable", b.rejected(t)[0].Reason)
	require.Equal(t, bad, b.rejected(t)[0].Original)
}

// FuzzUnmarshal reads any item, and any body of one. It must neither panic nor return an error, and
// what it finds must survive Marshal and Unmarshal.
func FuzzUnmarshal(f *testing.F) {
	q, _ := testEncoding()
	whole, err := q.Marshal(f.Context(), mixed())
	require.NoError(f, err)
	d := decisiontest.Full()
	layout, old := layoutWithout(&d, "oracle_version")
	for _, item := range [][]byte{whole, itemOf(f, layout, old)} {
		body, err := unseal(item)
		require.NoError(f, err)
		f.Add(body, true)
		f.Add(item, false)
	}
	f.Fuzz(func(t *testing.T, item []byte, isBody bool) {
		if isBody { // past checksum and compression
			item = seal(item)
		}
		_, got := unmarshal(t, q, item)
		again, err := q.Marshal(context.Background(), got)
		require.NoError(t, err)
		_, same := unmarshal(t, q, again)
		require.Equal(t, got.ItemsCount(), same.ItemsCount())
		newBatch(got, false).window(time.Now().AddDate(0, 0, -90), time.Now())
	})
}
