package pgtelemetry

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/internal/decisionlog"
)

// row is a decision the table should take, with the record it came from.
type row struct {
	decision decision.Decision
	origin
}

// origin is where a decision came from; it is valid until push returns.
type origin struct {
	resource pcommon.Resource
	record   plog.LogRecord
}

// batch is what one call of push has to account for:
// received = len(rows) + len(rejections) + len(twins).
type batch struct {
	received   int
	rows       []*row
	rejections []rejection
	twins      []*row // the same id again within the batch: duplicates
	conflicts  int    // of these, with other content
	originals  int    // bytes of originals kept among the rejections
	allowRaw   bool
}

// newBatch decodes and checks every decision, sorts the good ones by key, so
// that all collectors lock in one order, and takes out repeated ones.
func newBatch(decoder *decisionlog.Decoder, logs plog.Logs, allowRawVMID bool) (*batch, error) {
	count := logs.LogRecordCount()
	b := &batch{allowRaw: allowRawVMID, rows: make([]*row, 0, count)}
	decoded := make([]row, count) // rows are large: sorting moves pointers
	for _, resource := range logs.ResourceLogs().All() {
		decoder.Resource(resource.Resource())
		for _, scope := range resource.ScopeLogs().All() {
			for _, record := range scope.LogRecords().All() {
				r := &decoded[b.received]
				r.origin = origin{resource.Resource(), record}
				if err := b.add(decoder, r); err != nil {
					return nil, err
				}
			}
		}
	}
	b.sort()
	b.dropRepeated()
	return b, nil
}

func (b *batch) add(decoder *decisionlog.Decoder, r *row) error {
	b.received++
	problems := decoder.Decode(r.record, decisionlog.Stored, &r.decision)
	switch {
	case len(problems) > 0:
		return b.reject(r, problems[0], "")
	case !b.allowRaw && isRaw(&r.decision):
		return b.reject(r, rawVMID, "")
	}
	b.rows = append(b.rows, r)
	return nil
}

var rawVMID = &decision.FieldError{
	Reason: decision.RawVMID,
	Key:    decision.Column("vm_id").Key,
	Rule:   "must be a pseudonym with its key id; allow_raw_vm_id lets others in",
}

func isRaw(d *decision.Decision) bool {
	return !decision.IsPseudonym(d.VMID) || !d.VMKeyID.Set || d.VMKeyID.Value == "none"
}

func (b *batch) sort() {
	slices.SortStableFunc(b.rows, func(x, y *row) int {
		return cmp.Or(x.decision.Timestamp.Compare(y.decision.Timestamp),
			bytes.Compare(x.decision.EventID[:], y.decision.EventID[:]))
	})
}

// dropRepeated keeps the first of rows with the same key.
func (b *batch) dropRepeated() {
	b.rows = slices.CompactFunc(b.rows, func(again, first *row) bool {
		if !sameKey(again, first) {
			return false
		}
		b.twins = append(b.twins, again)
		if !sameContent(&first.decision, &again.decision) {
			b.conflicts++
		}
		return true
	})
}

// sameContent compares what makes the content of an event, in the table as
// here.
func sameContent(a, b *decision.Decision) bool {
	if a.VMKeyID == b.VMKeyID && a.VMID != b.VMID {
		return false
	}
	for _, f := range contentFields {
		x, _ := f.Value(a)
		y, _ := f.Value(b)
		if x != y && (f.Kind != decision.KindFloat || x.Float() != y.Float()) { // 0 is -0
			return false
		}
	}
	return true
}

// window rejects decisions that lie outside the span the table covers. Of those
// that lie there, whatever they were rejected for, only id and time are kept.
func (b *batch) window(oldest, newest time.Time) error {
	for i := range b.rejections {
		if at := b.rejections[i].eventTime; !at.IsZero() && (at.Before(oldest) || at.After(newest)) {
			b.rejections[i].original = nil
		}
	}
	rows := b.rows
	b.rows = b.rows[:0]
	for i := range rows {
		var problem *decision.FieldError
		switch at := rows[i].decision.Timestamp; {
		case at.Before(oldest):
			problem = &decision.FieldError{Reason: decision.TooOld, Key: "timestamp", Rule: "must lie within the retention, from " + oldest.Format(time.RFC3339)}
		case at.After(newest):
			problem = &decision.FieldError{Reason: decision.TooFarAhead, Key: "timestamp", Rule: "must lie within the allowed skew, up to " + newest.Format(time.RFC3339)}
		default:
			b.rows = append(b.rows, rows[i])
			continue
		}
		if err := b.reject(rows[i], problem, ""); err != nil {
			return err
		}
	}
	return nil
}

// reject adds a row to the rejected ones.
func (b *batch) reject(r *row, problem *decision.FieldError, sqlstate string) error {
	rejected, err := newRejection(r, problem, sqlstate, b.allowRaw)
	if err != nil {
		return err
	}
	if b.originals += len(rejected.original); b.originals > maxOriginals {
		rejected.original, rejected.truncated = nil, true
	}
	b.rejections = append(b.rejections, rejected)
	return nil
}

// maxOriginals bounds what a batch of nothing but huge bad decisions may take
// of the collector's memory, which memory_limiter does not see.
const maxOriginals = 16 << 20

// strike rejects a row, because the table refused it. Had it a twin, that one
// takes its place, to be tried in turn.
func (b *batch) strike(struck *row, problem *decision.FieldError, sqlstate string) (twin *row, err error) {
	at := slices.Index(b.rows, struck)
	if t := slices.IndexFunc(b.twins, func(t *row) bool { return sameKey(t, struck) }); t >= 0 {
		twin = b.twins[t]
		b.twins = slices.Delete(b.twins, t, t+1)
		b.rows[at] = twin
		if !sameContent(&struck.decision, &twin.decision) {
			b.conflicts--
		}
	} else {
		b.rows = slices.Delete(b.rows, at, at+1)
	}
	return twin, b.reject(struck, problem, sqlstate)
}

func sameKey(a, b *row) bool {
	return a.decision.EventID == b.decision.EventID && a.decision.Timestamp.Equal(b.decision.Timestamp)
}

// months returns a moment of each month the rows lie in, in order.
func (b *batch) months() (moments []time.Time) {
	for i := range b.rows {
		at := b.rows[i].decision.Timestamp
		if n := len(moments); n == 0 || at.Month() != moments[n-1].Month() || at.Year() != moments[n-1].Year() {
			moments = append(moments, at)
		}
	}
	return moments
}
