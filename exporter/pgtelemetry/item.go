package pgtelemetry

import (
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/internal/decisionlog"
)

// The parts of an item of the queue on disk.

func appendBytes[T string | []byte](buf []byte, b T) []byte {
	return append(binary.AppendUvarint(buf, uint64(len(b))), b...)
}

// appendTrace writes a trace context, or that there is none.
func appendTrace(buf []byte, trace *decisionlog.Trace) []byte {
	if trace == nil {
		return append(buf, 0)
	}
	buf = append(buf, 1)
	buf = append(buf, trace.TraceID[:]...)
	buf = append(buf, trace.SpanID[:]...)
	return binary.BigEndian.AppendUint32(buf, trace.Flags)
}

func appendRejection(buf []byte, r *rejection) []byte {
	buf = append(buf, r.digest[:]...)
	buf = append(buf, r.eventID[:]...)
	at := int64(noTime)
	if !r.eventTime.IsZero() {
		at = r.eventTime.UnixMicro()
	}
	buf = binary.AppendVarint(buf, at)
	buf = append(buf, r.recorder[:]...)
	buf = binary.AppendVarint(buf, r.sequence)
	buf = append(buf, boolByte(r.truncated), boolByte(r.original != nil))
	buf = appendBytes(buf, string(r.reason))
	for _, text := range [...]string{r.field, r.sqlstate, r.detail} {
		buf = appendBytes(buf, text)
	}
	return appendBytes(buf, r.original)
}

const noTime = -1 << 63

func boolByte(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// The least a row and a rejection take, so that a damaged count cannot ask for
// more memory than the item is worth.
const (
	leastRow       = 3
	leastRejection = sha256.Size + 16
)

// itemReader reads an item. Past a failure everything it returns is empty.
type itemReader struct {
	rest   []byte
	failed bool
}

func (r *itemReader) take(n int) []byte {
	if r.failed || n < 0 || n > len(r.rest) {
		r.failed = true
		return nil
	}
	taken := r.rest[:n:n]
	r.rest = r.rest[n:]
	return taken
}

func (r *itemReader) uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.failed = true
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

// varint reads what binary.AppendVarint writes: the sign is the lowest bit.
func (r *itemReader) varint() int64 {
	v := r.uvarint()
	return int64(v>>1) ^ -int64(v&1)
}

// count reads how many things of at least that size follow.
func (r *itemReader) count(least int) int {
	n := r.uvarint()
	if n > uint64(len(r.rest)/least) {
		r.failed = true
	}
	if r.failed {
		return 0
	}
	return int(n)
}

func (r *itemReader) bytes() []byte { return r.take(r.count(1)) }

func (r *itemReader) flag() bool {
	b := r.take(1)
	return len(b) > 0 && b[0] != 0
}

func (r *itemReader) trace() *decisionlog.Trace {
	if !r.flag() {
		return nil
	}
	t := &decisionlog.Trace{}
	copy(t.TraceID[:], r.take(len(t.TraceID)))
	copy(t.SpanID[:], r.take(len(t.SpanID)))
	if flags := r.take(4); flags != nil {
		t.Flags = binary.BigEndian.Uint32(flags)
	}
	return t
}

func (r *itemReader) rejection() (one rejection) {
	copy(one.digest[:], r.take(len(one.digest)))
	copy(one.eventID[:], r.take(len(one.eventID)))
	if at := r.varint(); at != noTime {
		one.eventTime = time.UnixMicro(at).UTC()
	}
	copy(one.recorder[:], r.take(len(one.recorder)))
	one.sequence = r.varint()
	one.truncated = r.flag()
	kept := r.flag()
	one.reason = decision.Reason(r.bytes())
	for _, text := range [...]*string{&one.field, &one.sqlstate, &one.detail} {
		*text = string(r.bytes())
	}
	if original := r.bytes(); kept {
		one.original = original
	}
	return one
}
