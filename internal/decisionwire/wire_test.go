package decisionwire_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/decision/decisiontest"
	"github.com/novacron/dwcp-telemetry/internal/decisionlog"
	"github.com/novacron/dwcp-telemetry/internal/decisionwire"
)

var observed = time.Date(2026, 5, 4, 3, 2, 1, 7, time.UTC)

// asPdata is the request that pdata makes of the same decisions, each with a
// resource of its own.
func asPdata(tb testing.TB, span decisionwire.Span, others []decisionwire.Text, decisions ...decision.Decision) []byte {
	tb.Helper()
	logs := plog.NewLogs()
	for i := range decisions {
		to := logs.ResourceLogs().AppendEmpty()
		to.SetSchemaUrl("schema/1")
		decisionlog.EncodeResource(&decisions[i], to.Resource())
		for _, other := range others {
			to.Resource().Attributes().PutStr(other.Key, other.Value)
		}
		scope := to.ScopeLogs().AppendEmpty()
		scope.Scope().SetName("scope")
		record := scope.LogRecords().AppendEmpty()
		decisionlog.Encode(&decisions[i], record)
		record.SetObservedTimestamp(pcommon.NewTimestampFromTime(observed))
		record.SetTraceID(span.TraceID)
		record.SetSpanID(span.SpanID)
		record.SetFlags(plog.LogRecordFlags(span.Flags))
	}
	wire, err := plogotlp.NewExportRequestFromLogs(logs).MarshalProto()
	require.NoError(tb, err)
	return wire
}

// written returns what pdata reads in what this package writes, marshalled by
// pdata: it orders the fields of a message differently, which means nothing.
func written(tb testing.TB, span decisionwire.Span, others []decisionwire.Text, decisions ...decision.Decision) []byte {
	tb.Helper()
	request := decisionwire.NewRequest(nil)
	for i := range decisions {
		request.Resource("scope", "schema/1", &decisions[i], others)
		request.Record(&decisions[i], observed, span)
	}
	read := plogotlp.NewExportRequest()
	require.NoError(tb, read.UnmarshalProto(request.Bytes()))
	wire, err := read.MarshalProto()
	require.NoError(tb, err)
	return wire
}

func TestWireSaysWhatPdataSays(t *testing.T) {
	t.Parallel()
	full := decisiontest.Full()
	long := full
	long.RequestID, long.PayloadType = strings.Repeat("x", 1<<14), strings.Repeat("é", 1<<20)
	odd := full
	odd.RTTMillis, odd.BandwidthUtilization, odd.BandwidthAvailableMbps = math.NaN(), math.Inf(-1), math.Copysign(0, -1)
	odd.NetworkTier, odd.PayloadBytes, odd.RequestID = -1, math.MinInt64, "a\xff\x00b"
	odd.PriorSamples = decision.Some(int64(math.MaxInt64))
	all := full
	for _, flag := range decision.FlagTable() {
		all.QualityFlags |= flag.Flag
	}
	others := []decisionwire.Text{{Key: "service.name", Value: "dwcp"}, {Key: "empty", Value: ""}, {Key: "long", Value: strings.Repeat("v", 300)}}
	span := decisionwire.Span{TraceID: [16]byte{1, 15: 2}, SpanID: [8]byte{3}, Flags: 1}
	for name, decisions := range map[string][]decision.Decision{
		"every field": {full}, "no field": {{}}, "long texts": {long}, "odd values": {odd}, "all flags": {all},
		"several": {full, {}, odd, long, all, full}, "none": nil,
	} {
		require.Equal(t, asPdata(t, span, others, decisions...), written(t, span, others, decisions...), name)
		require.Equal(t, asPdata(t, decisionwire.Span{}, nil, decisions...), written(t, decisionwire.Span{}, nil, decisions...), name)
	}
}

// Any of the optional fields may be missing, in any combination.
func TestAnyMissingFieldsAreLeftOutAsPdataDoes(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	full := decisiontest.Full()
	for range 500 {
		var d decision.Decision
		for i := range decision.Fields() {
			if f := &decision.Fields()[i]; random.IntN(3) > 0 {
				v, _ := f.Value(&full)
				require.Nil(t, f.Decode(v, &d))
			}
		}
		require.Equal(t, asPdata(t, decisionwire.Span{}, nil, d), written(t, decisionwire.Span{}, nil, d))
	}
}

func FuzzWireSaysWhatPdataSays(f *testing.F) {
	f.Add("vm-1", "request", "é\xff", 1.5, int64(7), true, uint32(3), uint64(0))
	f.Fuzz(func(t *testing.T, vm, request, payload string, number float64, count int64, yes bool, flags uint32, trace uint64) {
		d := decision.Decision{
			Timestamp: time.Unix(count>>32, 0), VMID: vm, RequestID: request, PayloadType: payload,
			RTTMillis: number, HDELatencyMillis: decision.Some(number), PayloadBytes: count, HasBaseline: yes,
			AMSTStreamCount: decision.Some(count), QualityFlags: decision.Flags(flags), Environment: decision.Some(payload),
		}
		span := decisionwire.Span{TraceID: [16]byte{15: byte(trace)}, SpanID: [8]byte{byte(trace >> 8)}, Flags: byte(trace >> 16)}
		require.Equal(t, asPdata(t, span, nil, d, d), written(t, span, nil, d, d))
	})
}

func TestRecordsOfOneResourceShareIt(t *testing.T) {
	t.Parallel()
	d := decisiontest.Full()
	request := decisionwire.NewRequest(make([]byte, 7, 100)) // what is in the buffer is written over
	request.Resource("scope", "", &d, nil)
	for range 600 { // far more than the usual length needs
		request.Record(&d, observed, decisionwire.Span{})
	}
	got := plogotlp.NewExportRequest()
	require.NoError(t, got.UnmarshalProto(request.Bytes()))
	require.Equal(t, 1, got.Logs().ResourceLogs().Len())
	require.Equal(t, 600, got.Logs().LogRecordCount())
	for _, record := range got.Logs().ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
		require.Equal(t, decision.EventName, record.EventName())
	}
}

func TestWritingAllocatesHardlyAnything(t *testing.T) {
	d := decisiontest.Full()
	buf := make([]byte, 0, 1<<20)
	require.LessOrEqual(t, testing.AllocsPerRun(200, func() {
		request := decisionwire.NewRequest(buf)
		request.Resource("scope", "", &d, nil)
		for range 10 {
			request.Record(&d, observed, decisionwire.Span{})
		}
		request.Bytes()
	}), 10*8.0, "the texts of two UUIDs and the names of flags")
}

func TestAnswersAreReadAsPdataWritesThem(t *testing.T) {
	t.Parallel()
	for _, want := range []decisionwire.Response{{}, {Rejected: 3}, {Message: "too long"}, {Rejected: -1, Message: "odd"}} {
		response := plogotlp.NewExportResponse()
		response.PartialSuccess().SetRejectedLogRecords(want.Rejected)
		response.PartialSuccess().SetErrorMessage(want.Message)
		wire, err := response.MarshalProto()
		require.NoError(t, err)
		wire = append(wire, 0x7d, 1, 2, 3, 4) // field 15, 32 bits: of a later version
		got, err := decisionwire.ParseResponse(wire)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

func FuzzParseResponseNeverPanics(f *testing.F) {
	f.Add([]byte{0x0a, 0x02, 0x08, 0x03})
	f.Fuzz(func(_ *testing.T, from []byte) { _, _ = decisionwire.ParseResponse(from) })
}

func TestBrokenAnswersAreErrors(t *testing.T) {
	t.Parallel()
	for _, broken := range [][]byte{{0x0a}, {0x0a, 5, 1}, {0x0a, 2, 0x08, 0x80}, {0xff}} {
		_, err := decisionwire.ParseResponse(broken)
		require.Error(t, err)
	}
}

func TestRequestsOfOthersAreChecked(t *testing.T) {
	t.Parallel()
	d := decisiontest.Full()
	one := asPdata(t, decisionwire.Span{}, nil, d)
	require.NoError(t, decisionwire.CheckRequest(one))
	require.NoError(t, decisionwire.CheckRequest(append(one, one...)), "requests can be joined")
	require.NoError(t, decisionwire.CheckRequest(nil))
	for _, broken := range [][]byte{[]byte("no request"), one[:len(one)-1], {0x12, 0}, {0x0a, 1, 0xff}} {
		require.Error(t, decisionwire.CheckRequest(broken))
	}
}

func BenchmarkRecord(b *testing.B) {
	d := decisiontest.Full()
	buf := make([]byte, 0, 1<<20)
	request := decisionwire.NewRequest(buf)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%256 == 0 {
			request = decisionwire.NewRequest(buf)
			request.Resource("scope", "", &d, nil)
		}
		request.Record(&d, observed, decisionwire.Span{})
	}
}
