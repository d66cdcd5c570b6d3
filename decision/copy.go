package decision

import (
	"encoding/binary"
	"math"
	"time"
)

// PostgreSQL's binary COPY format: each value is a 32-bit length and its
// bytes, big-endian. https://www.postgresql.org/docs/current/sql-copy.html

// CopyHeader starts a binary COPY stream: signature, no flags, no extension.
var CopyHeader = []byte("PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00")

// CopyTrailer ends a binary COPY stream.
var CopyTrailer = []byte{0xff, 0xff}

const (
	textOID = 25
	// Microseconds from the Unix epoch to PostgreSQL's, 2000-01-01 UTC.
	postgresEpoch = 946684800 * 1_000_000
)

// AppendCopyRow appends d as one row of binary COPY, a column per field in the
// order of Columns.
func AppendCopyRow(buf []byte, d *Decision) []byte {
	buf = binary.BigEndian.AppendUint16(buf, uint16(len(fields)))
	for i := range fields {
		buf = fields[i].appendCopy(buf, d)
	}
	return buf
}

func appendNull(buf []byte) []byte { return append(buf, 0xff, 0xff, 0xff, 0xff) }

func appendLength(buf []byte, n int) []byte {
	return binary.BigEndian.AppendUint32(buf, uint32(n))
}

func appendText(buf []byte, s string) []byte { return append(appendLength(buf, len(s)), s...) }

func appendInt4(buf []byte, i int64) []byte {
	return binary.BigEndian.AppendUint32(appendLength(buf, 4), uint32(int32(i)))
}

func appendInt8(buf []byte, i int64) []byte {
	return append8(buf, uint64(i))
}

func appendFloat8(buf []byte, f float64) []byte {
	return append8(buf, math.Float64bits(f))
}

// append8 appends eight bytes and their length in one step: most values are such.
func append8(buf []byte, bits uint64) []byte {
	var value [12]byte
	value[3] = 8
	binary.BigEndian.PutUint64(value[4:], bits)
	return append(buf, value[:]...)
}

func appendBool(buf []byte, b bool) []byte {
	buf = appendLength(buf, 1)
	if b {
		return append(buf, 1)
	}
	return append(buf, 0)
}

func appendUUID(buf []byte, id UUID) []byte { return append(appendLength(buf, 16), id[:]...) }

func appendTimestamptz(buf []byte, t time.Time) []byte {
	return appendInt8(buf, t.UnixMicro()-postgresEpoch)
}

// appendFlags writes text[]: NULL for the empty set, as for any other field
// that has nothing to say.
func appendFlags(buf []byte, f Flags) []byte {
	if f == 0 {
		return appendNull(buf)
	}
	start := len(buf)
	buf = appendLength(buf, 0) // patched below
	count := uint32(0)
	buf = binary.BigEndian.AppendUint32(buf, 1) // dimensions
	buf = binary.BigEndian.AppendUint32(buf, 0) // no NULLs
	buf = binary.BigEndian.AppendUint32(buf, textOID)
	sizeAt := len(buf)
	buf = binary.BigEndian.AppendUint32(buf, 0) // elements, patched below
	buf = binary.BigEndian.AppendUint32(buf, 1) // lower bound
	for i := range flagTable {
		if f.Has(flagTable[i].Flag) {
			buf = appendText(buf, flagTable[i].Name)
			count++
		}
	}
	binary.BigEndian.PutUint32(buf[sizeAt:], count)
	binary.BigEndian.PutUint32(buf[start:], uint32(len(buf)-start-4))
	return buf
}
