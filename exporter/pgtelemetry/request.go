package pgtelemetry

import (
	"context"
	"fmt"
	"math"
	"slices"

	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exporterhelper/xexporterhelper"

	"github.com/novacron/dwcp-telemetry/internal/decisionlog"
)

// request is what the queue holds: decisions that have been decoded and
// checked, the good ones as rows, the others as rejections. It holds no pdata.
// Whoever writes it leaves it as it is, for it may be tried again.
type request struct {
	rows       []row
	rejections []rejection
}

var _ xexporterhelper.Request = (*request)(nil)

// add takes a row of this version's layout.
func (r *request) add(copied []byte, trace *decisionlog.Trace, allowRawVMID bool) {
	one, err := readRow(copied, trace)
	if err != nil {
		r.rejections = append(r.rejections, unreadable(copied, err))
		return
	}
	r.addRow(one, allowRawVMID)
}

// addRow takes a row, and rejects it where its VM id is raw: such a one must not
// get into the queue on disk either.
func (r *request) addRow(one row, allowRawVMID bool) {
	if one.raw && !allowRawVMID {
		r.rejections = append(r.rejections, rejectRow(&one, rawVMID, "", allowRawVMID))
		return
	}
	r.rows = append(r.rows, one)
}

func (r *request) ItemsCount() int { return len(r.rows) + len(r.rejections) }

func (r *request) BytesSize() (size int) {
	for i := range r.rows {
		size += r.rows[i].bytes()
	}
	for i := range r.rejections {
		size += r.rejections[i].bytes()
	}
	return size
}

// MergeSplit appends other, where there is one, and cuts the whole into
// requests of at most maxSize, and of at most maxOriginals. A single decision
// that is larger than that is a request by itself. Neither r nor other may be
// used any more.
func (r *request) MergeSplit(_ context.Context, maxSize int, sizer exporterhelper.RequestSizerType, other xexporterhelper.Request) ([]xexporterhelper.Request, error) {
	whole := &request{rows: r.rows, rejections: r.rejections}
	if other != nil {
		o, ok := other.(*request)
		if !ok {
			return nil, fmt.Errorf("merge a request of pgtelemetry with a %T", other)
		}
		if cap(whole.rows)-len(whole.rows) < len(o.rows) { // append alone would copy a batch some seven times
			whole.rows = slices.Grow(whole.rows, max(len(whole.rows), len(o.rows)))
		}
		whole.rows = append(whole.rows, o.rows...)
		whole.rejections = append(whole.rejections, o.rejections...)
	}
	switch {
	case maxSize == 0:
		return whole.split(math.MaxInt, func(int) int { return 0 }), nil
	case sizer == exporterhelper.RequestSizerTypeItems:
		return whole.split(maxSize, func(int) int { return 1 }), nil
	}
	return whole.split(maxSize, whole.bytesOf), nil
}

// bytesOf is the size of one decision; the rejections come after the rows.
func (r *request) bytesOf(i int) int {
	if i < len(r.rows) {
		return r.rows[i].bytes()
	}
	return r.rejections[i-len(r.rows)].bytes()
}

func (r *request) split(maxSize int, sizeOf func(int) int) (parts []xexporterhelper.Request) {
	start, size, originals := 0, 0, 0
	for i := range r.ItemsCount() {
		one, kept := sizeOf(i), r.originalOf(i)
		if i > start && (size+one > maxSize || originals+kept > maxOriginals) {
			parts = append(parts, r.part(start, i))
			start, size, originals = i, 0, 0
		}
		size += one
		originals += kept
	}
	if start == 0 {
		return []xexporterhelper.Request{r} // with its room: the next ones may be small and many
	}
	return append(parts, r.part(start, r.ItemsCount()))
}

// maxOriginals bounds what a batch of nothing but huge bad decisions, or of items
// of the queue that cannot be read, takes of the collector's memory, which
// memory_limiter does not see.
const maxOriginals = 16 << 20

// originalOf is how many bytes of an original a decision holds.
func (r *request) originalOf(i int) int {
	if i < len(r.rows) {
		return 0
	}
	return len(r.rejections[i-len(r.rows)].original)
}

// part is the decisions from start to end. Its slices have no room to grow, so
// that what is appended to one part does not overwrite the next.
func (r *request) part(start, end int) *request {
	n := len(r.rows)
	rows := r.rows[min(start, n):min(end, n):min(end, n)]
	rejections := r.rejections[max(start-n, 0):max(end-n, 0):max(end-n, 0)]
	return &request{rows: rows, rejections: rejections}
}
