package decision

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// Layout is the columns of rows in binary COPY form. They may be those of
// another version of this list: a row that such a version queued is read by the
// names and types of its columns.
type Layout struct {
	columns []layoutColumn
	// Unknown are the columns that this version does not have; their values
	// are left out.
	Unknown []string
}

type layoutColumn struct {
	field   *Field // nil where the column is unknown
	sqlType string
}

// CopyLayout describes the rows that AppendCopyRow writes: a line for each
// column, name and SQL type.
var CopyLayout = func() string {
	lines := make([]string, len(fields))
	for i := range fields {
		lines[i] = fields[i].Column + " " + fields[i].SQLType
	}
	return strings.Join(lines, "\n")
}()

// OwnLayout reads the rows that AppendCopyRow writes.
var OwnLayout = ParseLayout(CopyLayout)

// ParseLayout reads what CopyLayout was in the version that wrote the rows.
func ParseLayout(text string) *Layout {
	l := &Layout{}
	for line := range strings.SplitSeq(text, "\n") {
		name, sqlType, _ := strings.Cut(line, " ")
		c := layoutColumn{Column(name), sqlType}
		if c.field == nil {
			l.Unknown = append(l.Unknown, name)
		}
		l.columns = append(l.columns, c)
	}
	return l
}

// Decode reads a row into d, which must be zero. It holds the values to no
// rule. A value of a type that its field does not take is the error of that
// field; any other error means that the row is damaged.
func (l *Layout) Decode(row []byte, d *Decision) error {
	values := make([][]byte, len(l.columns))
	if err := SplitCopyRow(row, values); err != nil {
		return err
	}
	for i, c := range l.columns {
		if c.field == nil || values[i] == nil {
			continue
		}
		v, ok := copiedValue(c.sqlType, values[i])
		if !ok {
			return fmt.Errorf("the value of %s is no %s", c.field.Column, c.sqlType)
		}
		if problem := c.field.Decode(v, d); problem != nil {
			return problem
		}
	}
	return nil
}

var errCopyRow = errors.New("not a row in binary COPY form of the columns expected")

// SplitCopyRow cuts a row in binary COPY form into its values, as many as
// values has room for. They are nil for NULL, and else lie within the row.
func SplitCopyRow(row []byte, values [][]byte) error {
	return walkCopyRow(row, len(values), func(column int, value []byte) { values[column] = value })
}

// Picked are columns of this version's layout whose values are read without
// those of the others.
type Picked []int16 // column → where its value goes, -1: nowhere

// Pick returns what Read reads: values in the order of the names.
func Pick(columns ...string) Picked {
	p := make(Picked, len(fields))
	for i := range p {
		p[i] = int16(slices.Index(columns, fields[i].Column))
	}
	return p
}

// Read reads the picked values of a row, as SplitCopyRow does.
func (p Picked) Read(row []byte, values [][]byte) error {
	return walkCopyRow(row, len(p), func(column int, value []byte) {
		if to := p[column]; to >= 0 {
			values[to] = value
		}
	})
}

func walkCopyRow(row []byte, columns int, visit func(column int, value []byte)) error {
	if len(row) < 2 || int(binary.BigEndian.Uint16(row)) != columns {
		return errCopyRow
	}
	row = row[2:]
	for i := range columns {
		if len(row) < 4 {
			return errCopyRow
		}
		size := int(int32(binary.BigEndian.Uint32(row)))
		row = row[4:]
		switch {
		case size == -1:
			visit(i, nil)
			continue
		case size < 0 || size > len(row):
			return errCopyRow
		}
		visit(i, row[:size:size])
		row = row[size:]
	}
	if len(row) > 0 {
		return errCopyRow
	}
	return nil
}

// copiedValue reads one value of binary COPY; false where it is none of that
// type.
func copiedValue(sqlType string, raw []byte) (Value, bool) {
	switch {
	case sqlType == "timestamp with time zone" && len(raw) == 8:
		return TimeValue(CopiedTime(raw)), true
	case sqlType == "bigint" && len(raw) == 8:
		return IntValue(int64(binary.BigEndian.Uint64(raw))), true
	case sqlType == "integer" && len(raw) == 4:
		return IntValue(int64(int32(binary.BigEndian.Uint32(raw)))), true
	case sqlType == "double precision" && len(raw) == 8:
		return FloatValue(math.Float64frombits(binary.BigEndian.Uint64(raw))), true
	case sqlType == "boolean" && len(raw) == 1:
		return BoolValue(raw[0] != 0), true
	case sqlType == "uuid" && len(raw) == 16:
		return TextValue(UUID(raw).String()), true
	case strings.HasPrefix(sqlType, "character varying"):
		return TextValue(string(raw)), true
	case sqlType == "text[]":
		return copiedFlags(raw)
	}
	return Value{}, false
}

// CopiedTime reads a timestamptz of binary COPY, eight bytes.
func CopiedTime(raw []byte) time.Time {
	return time.UnixMicro(int64(binary.BigEndian.Uint64(raw)) + postgresEpoch).UTC()
}

// copiedFlags reads what appendFlags writes.
func copiedFlags(raw []byte) (Value, bool) {
	const header, sizeAt = 20, 12
	if len(raw) < header {
		return Value{}, false
	}
	var flags Flags
	count, rest := binary.BigEndian.Uint32(raw[sizeAt:]), raw[header:]
	for range count {
		if len(rest) < 4 || int64(binary.BigEndian.Uint32(rest)) > int64(len(rest)-4) {
			return Value{}, false
		}
		end := 4 + int(binary.BigEndian.Uint32(rest))
		flag, known := FlagNamed(string(rest[4:end]))
		if !known {
			return Value{}, false
		}
		flags |= flag
		rest = rest[end:]
	}
	return FlagsValue(flags), len(rest) == 0
}
