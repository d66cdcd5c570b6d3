package pgtelemetry

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	"github.com/novacron/dwcp-telemetry/decision"
)

// batch is what one call of push has to account for:
// received = len(rows) + len(rejections) + len(twins).
type batch struct {
	received   int
	rows       []*row
	rejections []rejection
	twins      []*row // the same id again within the batch: duplicates
	conflicts  int    // of these, with other content
	allowRaw   bool
	tombstones string // the state of those it went by
}

// newBatch sorts the rows of a request by key, so that all collectors lock in
// one order, and takes out repeated ones. The request stays as it is.
func newBatch(req *request, allowRawVMID bool) *batch {
	b := &batch{received: req.ItemsCount(), allowRaw: allowRawVMID, rows: make([]*row, 0, len(req.rows))}
	for i := range req.rejections {
		b.reject(req.rejections[i])
	}
	for i := range req.rows {
		b.rows = append(b.rows, &req.rows[i]) // rows are large: sorting moves pointers
	}
	b.sort()
	b.dropRepeated()
	return b
}

func (b *batch) sort() {
	slices.SortStableFunc(b.rows, func(x, y *row) int {
		return cmp.Or(x.at.Compare(y.at), bytes.Compare(x.eventID[:], y.eventID[:]))
	})
}

// dropRepeated keeps the first of rows with the same key.
func (b *batch) dropRepeated() {
	b.rows = slices.CompactFunc(b.rows, func(again, first *row) bool {
		if !sameKey(again, first) {
			return false
		}
		b.twins = append(b.twins, again)
		if !sameContent(first, again) {
			b.conflicts++
		}
		return true
	})
}

// window rejects decisions that lie outside the span the table covers. Of those
// that lie there, whatever they were rejected for, only id and time are kept.
func (b *batch) window(oldest, newest time.Time) {
	for i := range b.rejections {
		if at := b.rejections[i].eventTime; !at.IsZero() && (at.Before(oldest) || at.After(newest)) {
			b.rejections[i].original = nil
		}
	}
	b.rows = slices.DeleteFunc(b.rows, func(r *row) bool {
		problem := outside(r.at, oldest, newest)
		if problem != nil {
			b.reject(rejectRow(r, problem, "", b.allowRaw))
		}
		return problem != nil
	})
}

func outside(at, oldest, newest time.Time) *decision.FieldError {
	switch {
	case at.Before(oldest):
		return &decision.FieldError{Reason: decision.TooOld, Key: "timestamp", Rule: "must lie within the retention, from " + oldest.Format(time.RFC3339)}
	case at.After(newest):
		return &decision.FieldError{Reason: decision.TooFarAhead, Key: "timestamp", Rule: "must lie within the allowed skew, up to " + newest.Format(time.RFC3339)}
	}
	return nil
}

// reject adds to the rejected ones.
func (b *batch) reject(rejected rejection) { b.rejections = append(b.rejections, rejected) }

// strike rejects a row, because the table refused it. Had it a twin, that one
// takes its place, to be tried in turn.
func (b *batch) strike(struck *row, problem *decision.FieldError, sqlstate string) (twin *row) {
	at := slices.Index(b.rows, struck)
	if t := slices.IndexFunc(b.twins, func(t *row) bool { return sameKey(t, struck) }); t >= 0 {
		twin = b.twins[t]
		b.twins = slices.Delete(b.twins, t, t+1)
		b.rows[at] = twin
		if !sameContent(struck, twin) {
			b.conflicts--
		}
	} else {
		b.rows = slices.Delete(b.rows, at, at+1)
	}
	b.reject(rejectRow(struck, problem, sqlstate, b.allowRaw))
	return twin
}

// moments returns the times of the rows, in order.
func (b *batch) moments() []time.Time {
	moments := make([]time.Time, len(b.rows))
	for i := range b.rows {
		moments[i] = b.rows[i].at
	}
	return moments
}
