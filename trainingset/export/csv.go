package export

import (
	"bytes"
	"io"
	"math"
	"strconv"

	"github.com/novacron/dwcp-telemetry/decision"
)

// csvFile writes CSV byte for byte as PostgreSQL's COPY does, but for booleans,
// true and false, and times, RFC 3339 in UTC: those two pandas would not read.
// NULL is an empty cell.
type csvFile struct {
	to      io.Writer
	columns []column
	buffer  []byte
	day     int64 // whose date is in date
	date    []byte
}

func newCSVFile(to io.Writer, columns []column) (rowFile, error) {
	c := &csvFile{to: to, columns: columns, day: math.MinInt64}
	for i := range columns {
		if i > 0 {
			c.buffer = append(c.buffer, ',')
		}
		c.buffer = appendCSVText(c.buffer, []byte(columns[i].Name))
	}
	c.buffer = append(c.buffer, '\n')
	if err := c.flush(); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *csvFile) write(b *batch, rows []int) error {
	for _, row := range rows {
		for i := range c.columns {
			if i > 0 {
				c.buffer = append(c.buffer, ',')
			}
			col := &c.columns[i]
			if !col.nullable || !b.null(col.slot, row) {
				c.cell(b, col, row)
			}
		}
		c.buffer = append(c.buffer, '\n')
	}
	return c.flush()
}

func (c *csvFile) flush() error {
	_, err := c.to.Write(c.buffer)
	c.buffer = c.buffer[:0]
	return err
}

func (c *csvFile) close() error { return nil }

func (c *csvFile) cell(b *batch, col *column, row int) {
	switch col.kind {
	case decision.KindInt:
		c.buffer = strconv.AppendInt(c.buffer, int64(b.slots[col.slot].bits[row]), 10)
	case decision.KindFloat:
		c.buffer = appendCSVFloat(c.buffer, b.float(col.slot, row))
	case decision.KindBool:
		c.buffer = strconv.AppendBool(c.buffer, b.slots[col.slot].bits[row] != 0)
	case decision.KindTime:
		c.time(b.micros(col.slot, row))
	default:
		c.buffer = appendCSVText(c.buffer, b.text(col.slot, row))
	}
}

// appendCSVFloat writes the shortest form that reads back as the same double,
// with an exponent where PostgreSQL has one.
func appendCSVFloat(to []byte, f float64) []byte {
	if size := math.Abs(f); size != 0 && (size < 1e-4 || size >= 1e15) {
		return strconv.AppendFloat(to, f, 'e', -1, 64)
	}
	return strconv.AppendFloat(to, f, 'f', -1, 64)
}

// appendCSVText quotes where COPY does.
func appendCSVText(to, text []byte) []byte {
	if len(text) > 0 && bytes.IndexByte(text, ',') < 0 && bytes.IndexByte(text, '"') < 0 &&
		bytes.IndexByte(text, '\n') < 0 && bytes.IndexByte(text, '\r') < 0 {
		return append(to, text...)
	}
	to = append(to, '"')
	for _, c := range text {
		if c == '"' {
			to = append(to, '"')
		}
		to = append(to, c)
	}
	return append(to, '"')
}
