package pgtelemetry

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exporterhelper/xexporterhelper"
	"go.opentelemetry.io/collector/exporter/exportertest"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/decision/decisiontest"
	"github.com/novacron/dwcp-telemetry/exporter/pgtelemetry/internal/metadata"
)

var itemsSizer, bytesSizer = exporterhelper.RequestSizerTypeItems, exporterhelper.RequestSizerTypeBytes

// numbered returns decisions whose ids tell their numbers; every third is
// refused.
func numbered(from, n int) *request {
	decisions := make([]decision.Decision, n)
	for i := range decisions {
		decisions[i] = decisiontest.Full()
		decisions[i].EventID[0] = byte(from + i)
		if (from+i)%3 == 0 {
			decisions[i].NetworkTier = 9
		}
	}
	return requestOf(decisions...)
}

func idsOf(parts []xexporterhelper.Request) (sizes []int, ids []byte) {
	for _, part := range parts {
		r := part.(*request)
		sizes = append(sizes, r.ItemsCount())
		for i := range r.rows {
			ids = append(ids, r.rows[i].eventID[0])
		}
		for i := range r.rejections {
			ids = append(ids, r.rejections[i].eventID[0])
		}
	}
	return sizes, ids
}

func TestRequestsAreMergedAndSplitWithoutLossInAnyOrder(t *testing.T) {
	t.Parallel()
	all := make([]byte, 100)
	for i := range all {
		all[i] = byte(i + 1)
	}
	for name, c := range map[string]struct {
		first, second, maxSize int
		want                   []int
	}{
		"no limit":         {60, 40, 0, []int{100}},
		"alone, no limit":  {100, 0, 0, []int{100}},
		"fits":             {60, 40, 100, []int{100}},
		"cut":              {60, 40, 30, []int{30, 30, 30, 10}},
		"alone":            {100, 0, 99, []int{99, 1}},
		"cut without rest": {50, 50, 50, []int{50, 50}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var other xexporterhelper.Request
			if c.second > 0 {
				other = numbered(1+c.first, c.second)
			}
			parts, err := numbered(1, c.first).MergeSplit(t.Context(), c.maxSize, itemsSizer, other)
			require.NoError(t, err)
			sizes, ids := idsOf(parts)
			require.Equal(t, c.want, sizes)
			require.ElementsMatch(t, all, ids)
		})
	}
}

func TestPartsOfARequestDoNotOverwriteEachOther(t *testing.T) {
	t.Parallel()
	parts, err := numbered(1, 20).MergeSplit(t.Context(), 8, itemsSizer, nil)
	require.NoError(t, err)
	_, before := idsOf(parts[1:])
	_, err = parts[0].MergeSplit(t.Context(), 0, itemsSizer, numbered(100, 20))
	require.NoError(t, err)
	_, after := idsOf(parts[1:])
	require.Equal(t, before, after)
}

func TestRequestsAreSplitByBytesAndALargeDecisionGoesAlone(t *testing.T) {
	t.Parallel()
	whole := numbered(1, 20)
	largest := 0
	for i := range whole.ItemsCount() {
		largest = max(largest, whole.bytesOf(i))
	}
	parts, err := whole.MergeSplit(t.Context(), 3*largest, bytesSizer, nil)
	require.NoError(t, err)
	sizes, ids := idsOf(parts)
	require.Len(t, ids, 20)
	for i, part := range parts {
		require.LessOrEqual(t, part.BytesSize(), 3*largest, sizes[i])
	}
	parts, err = whole.MergeSplit(t.Context(), 1, bytesSizer, nil)
	require.NoError(t, err)
	require.Len(t, parts, 20)
}

// Else every batch would be copied where there is another exporter.
func TestLogsAreOnlyRead(t *testing.T) {
	t.Parallel()
	config := newDefaultConfig()
	config.DSN = "postgres://nobody@127.0.0.1:1/none"
	e, err := createLogs(t.Context(), exportertest.NewNopSettings(metadata.Type), config)
	require.NoError(t, err)
	require.False(t, e.Capabilities().MutatesData)
}

func TestLogsAreLetGoWhereThatIsAskedFor(t *testing.T) {
	t.Parallel()
	for _, release := range []bool{false, true} {
		b := setup(t, func(c *Config) { c.ReleaseLogs = release })
		rows := b.fresh(3)
		logs := logsOf(rows...)
		require.NoError(t, b.ConsumeLogs(t.Context(), logs))
		b.requireStored(t, rows...)
		require.Equal(t, release, b.Capabilities().MutatesData, "others get a copy then")
		require.Equal(t, release, logs.LogRecordCount() == 0)
	}
}

func TestTheRowOfADecisionIsWhatReadingItsBytesGives(t *testing.T) {
	t.Parallel()
	full := decisiontest.Full()
	bare := decision.Decision{Timestamp: full.Timestamp, EventID: full.EventID, VMID: "vm-1", LinkType: decision.WAN}
	amst := full
	amst.OracleAlgorithm, amst.TrainingCandidate = decision.Some(decision.AMST), decision.Some(false)
	for _, d := range []decision.Decision{full, bare, amst} {
		copied := decision.AppendCopyRow(nil, &d)
		want, err := readRow(copied, nil)
		require.NoError(t, err)
		require.Equal(t, want, rowOf(&d, copied, nil))
	}
}

func TestAForeignRequestIsNotMerged(t *testing.T) {
	t.Parallel()
	_, err := numbered(1, 1).MergeSplit(t.Context(), 0, itemsSizer, foreign{})
	require.ErrorContains(t, err, "foreign")
}

type foreign struct{ xexporterhelper.Request }

// An item of the queue that cannot be read may be some megabytes, and counts as
// one: by number alone a batch of them would be gigabytes.
func TestRequestsAreCutByTheOriginalsTheyHoldAndEachIsKept(t *testing.T) {
	t.Parallel()
	var whole xexporterhelper.Request = numbered(1, 10)
	var parts []xexporterhelper.Request
	const items, size = 200, 300 << 10
	for i := range items {
		item := make([]byte, size)
		item[0] = byte(i)
		merged, err := whole.MergeSplit(t.Context(), 5000, itemsSizer, &request{rejections: []rejection{unreadable(item, errRow)}})
		require.NoError(t, err)
		parts, whole = append(parts, merged[:len(merged)-1]...), merged[len(merged)-1]
	}
	require.NotEmpty(t, parts)
	kept := 0
	for _, part := range append(parts, whole) {
		b := newBatch(part.(*request), false)
		held := 0
		for _, r := range b.rejections {
			held += len(r.original)
			require.False(t, r.truncated)
		}
		require.LessOrEqual(t, held, maxOriginals)
		kept += held / size // the others are small
	}
	require.Equal(t, items, kept)
}

// BenchmarkMergeOfSmallRequests fills a batch with requests of 20, as Recorders
// send them that have little to tell. It runs under the queue's lock.
func BenchmarkMergeOfSmallRequests(b *testing.B) {
	small := make([]decision.Decision, 20)
	for i := range small {
		small[i] = decisiontest.Full()
		small[i].EventID[0] = byte(i + 1)
	}
	one := requestOf(small...)
	b.ReportAllocs()
	for b.Loop() {
		var batch xexporterhelper.Request = &request{}
		for range batchRows / len(small) {
			parts, err := batch.MergeSplit(b.Context(), batchRows, itemsSizer, one)
			if err != nil || len(parts) != 1 {
				b.Fatal(len(parts), err)
			}
			batch = parts[0]
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batchRows), "ns/decision")
}
