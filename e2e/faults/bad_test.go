package faults

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/xpdata"

	"github.com/novacron/dwcp-telemetry/decision"
)

// twist is what is odd about an event on the wire.
type twist struct {
	name   string
	apply  func(plog.LogRecord)
	reason decision.Reason // "" where the event is good all the same
	field  string
	bare   bool // no original is kept
	cut    bool // the original is cut
}

const (
	region      = "dwcp.network.region"
	utilization = "dwcp.network.bandwidth_utilization"
	uid         = "log.record.uid"
)

func put(key, value string) func(plog.LogRecord) {
	return func(r plog.LogRecord) { r.Attributes().PutStr(key, value) }
}

func number(key string, value float64) func(plog.LogRecord) {
	return func(r plog.LogRecord) { r.Attributes().PutDouble(key, value) }
}

func remove(keys ...string) func(plog.LogRecord) {
	return func(r plog.LogRecord) {
		r.Attributes().RemoveIf(func(key string, _ pcommon.Value) bool { return slices.Contains(keys, key) })
	}
}

func at(when time.Time) func(plog.LogRecord) {
	return func(r plog.LogRecord) { r.SetTimestamp(pcommon.NewTimestampFromTime(when)) }
}

var twists = []twist{
	{name: "wrong enum", apply: put("dwcp.network.link_type", "lan"), reason: decision.NotInEnum, field: "dwcp.network.link_type"},
	{name: "above the range", apply: number(utilization, 100.5), reason: decision.OutOfRange, field: utilization},
	{name: "below the range", apply: number("dwcp.network.rtt_ms", -1), reason: decision.OutOfRange, field: "dwcp.network.rtt_ms"},
	{name: "integer out of range", apply: func(r plog.LogRecord) { r.Attributes().PutInt("dwcp.network.tier", math.MaxInt64) },
		reason: decision.OutOfRange, field: "dwcp.network.tier"},
	{name: "NaN", apply: number(utilization, math.NaN()), reason: decision.NotFinite, field: utilization},
	{name: "+Infinity", apply: number(utilization, math.Inf(1)), reason: decision.NotFinite, field: utilization},
	{name: "-Infinity", apply: number("dwcp.hde.latency_ms", math.Inf(-1)), reason: decision.NotFinite, field: "dwcp.hde.latency_ms"},
	{name: "NUL in text", apply: put(region, "eu\x00west"), reason: decision.InvalidText, field: region},
	{name: "invalid UTF-8", apply: put(region, "eu-\xff\xfe"), reason: decision.InvalidText, field: region},
	{name: "too long", apply: put(region, strings.Repeat("ü", 21)), reason: decision.TooLong, field: region},
	{name: "missing", apply: remove(region), reason: decision.Missing, field: region},
	{name: "wrong type, text", apply: put(utilization, "45"), reason: decision.WrongType, field: utilization},
	{name: "wrong type, map", apply: func(r plog.LogRecord) { r.Attributes().PutEmptyMap(region).PutStr("a", "b") },
		reason: decision.WrongType, field: region},
	{name: "wrong type, bytes", apply: func(r plog.LogRecord) { r.Attributes().PutEmptyBytes(region).Append(1, 2) },
		reason: decision.WrongType, field: region},
	{name: "no id", apply: remove(uid), reason: decision.Missing, field: uid},
	{name: "bad uuid", apply: put(uid, "not-a-uuid"), reason: decision.BadUUID, field: uid},
	{name: "1970", apply: at(time.Unix(1, 0)), reason: decision.TooOld, field: "timestamp", bare: true},
	{name: "2100", apply: at(time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)), reason: decision.TooFarAhead, field: "timestamp", bare: true},
	{name: "no time", apply: func(r plog.LogRecord) { r.SetTimestamp(0) }, reason: decision.Missing, field: "timestamp"},
	{name: "the same key twice", apply: twice(utilization), reason: decision.DuplicateKey, field: utilization},
	{name: "neither way measured", reason: decision.Unlabelable, field: "dwcp.oracle.algorithm",
		apply: func(r plog.LogRecord) {
			r.Attributes().RemoveIf(func(key string, _ pcommon.Value) bool {
				return strings.HasPrefix(key, "dwcp.hde.") || strings.HasPrefix(key, "dwcp.amst.")
			})
		}},
	{name: "a listed text of 1 MB", apply: put(region, strings.Repeat("r", 1<<20)), reason: decision.TooLong, field: region, cut: true},
	{name: "an unlisted text of 1 MB", apply: put("dwcp.unlisted", strings.Repeat("x", 1<<20))},
	{name: "10,000 further attributes", apply: func(r plog.LogRecord) {
		for i := range 10_000 {
			r.Attributes().PutInt(fmt.Sprintf("further.%d", i), int64(i))
		}
	}},
}

// twice repeats an attribute, which a map's own methods would not.
func twice(key string) func(plog.LogRecord) {
	return func(r plog.LogRecord) {
		var b xpdata.MapBuilder
		for k, v := range r.Attributes().All() {
			v.CopyTo(b.AppendEmpty(k))
			if k == key {
				v.CopyTo(b.AppendEmpty(k))
			}
		}
		b.UnsafeIntoMap(r.Attributes())
	}
}

// oneIn spoils every n-th event, by all kinds in turn.
func oneIn(n int) source {
	return func(random *rand.Rand, now time.Time, i int) *event {
		e := goodDecisions(random, now, i)
		if i%n == n-1 {
			e.twist = &twists[i/n%len(twists)]
		}
		return e
	}
}

func TestBadEventsAreKeptWithReasonAndOriginalAndHoldUpNobody(t *testing.T) {
	t.Parallel()
	spoiled := func(share string, n, short, whole int) fault {
		return fault{
			name:   share + " of the events are bad",
			events: oneIn(n),
			inject: func(r *rig, _ int) {
				if full {
					short = whole
				}
				r.waitAcknowledged(short)
			},
			verify: func(r *rig) {
				require.NotZero(r, r.tally.refused, "some were bad")
				r.requireResendChangesNothing()
			},
		}
	}
	run(t, spoiled("0.1 %", 1000, 2000, len(twists)*1000),
		spoiled("10 %", 10, 10*len(twists), 50*len(twists)),
		spoiled("100 %", 1, len(twists), 20*len(twists)))
}

// requireResendChangesNothing sends everything once more: all of it counts as
// duplicate.
func (r *rig) requireResendChangesNothing() {
	r.Helper()
	const duplicates = "SELECT coalesce(sum(duplicate), 0) FROM compression_telemetry_batches"
	before := r.number(duplicates)
	var line connection
	defer line.close()
	for request := range slices.Chunk(r.events, requestEvents) {
		require.NoError(r, line.send(r.Context(), r.collector().process.Load().GRPC, encodeRequest(request)))
	}
	r.eventually("all come again and are duplicates", func() bool { return r.number(duplicates)-before >= len(r.events) })
	require.Equal(r, len(r.events), r.number(duplicates)-before)
	r.requireAccount()
}
