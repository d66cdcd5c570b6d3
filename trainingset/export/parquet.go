package export

import (
	"fmt"
	"io"
	"reflect"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"

	"github.com/novacron/dwcp-telemetry/decision"
)

// rowsPerGroup bounds what a Parquet file under way holds in memory.
const rowsPerGroup = 1 << 16

// parquetFile writes Parquet column by column: timestamps in UTC microseconds,
// 64-bit integers, strings with a dictionary, NULL as null, and bounds of every
// page and column. Nothing in the file depends on when or where it was written.
type parquetFile struct {
	writer  *parquet.GenericWriter[any]
	columns []column
	into    []*parquet.ColumnWriter
	values  []parquet.Value
	inGroup int
}

func newParquetFile(to io.Writer, columns []column) (rowFile, error) {
	schema, err := parquetSchema(columns)
	if err != nil {
		return nil, err
	}
	writer := parquet.NewGenericWriter[any](to, schema,
		parquet.CreatedBy("dwcp-telemetry", "1", ""),
		parquet.Compression(&zstd.Codec{Level: zstd.SpeedFastest}),
		parquet.DataPageStatistics(true),
		parquet.DictionaryMaxBytes(512<<10), // ids that hardly repeat go on without one
		parquet.PageBufferSize(64<<10),
		parquet.WriteBufferSize(0)) // the output has a buffer
	return &parquetFile{writer: writer, columns: columns, into: writer.ColumnWriters()}, nil
}

// parquetTypes are the Go types and tags that parquet-go makes columns of.
var parquetTypes = map[decision.Kind]struct {
	of  reflect.Type
	tag string
}{
	decision.KindText:    {reflect.TypeFor[string](), ",dict"},
	decision.KindID:      {reflect.TypeFor[string](), ""},
	decision.KindFlagSet: {reflect.TypeFor[string](), ",dict"},
	decision.KindInt:     {reflect.TypeFor[int64](), ""},
	decision.KindFloat:   {reflect.TypeFor[float64](), ""},
	decision.KindBool:    {reflect.TypeFor[bool](), ""},
	decision.KindTime:    {reflect.TypeFor[int64](), ",timestamp(microsecond:utc)"},
}

// parquetSchema makes the schema from a struct: parquet.Group would put the
// columns in alphabetical order.
func parquetSchema(columns []column) (*parquet.Schema, error) {
	fields := make([]reflect.StructField, len(columns))
	for i := range columns {
		c := &columns[i]
		t, ok := parquetTypes[c.kind]
		if !ok {
			return nil, fmt.Errorf("%s: Parquet has no form for a %s", c.Name, c.kind)
		}
		tag := c.Name + t.tag
		if c.nullable {
			tag += ",optional"
		}
		fields[i] = reflect.StructField{Name: fmt.Sprintf("C%d", i), Type: t.of, Tag: reflect.StructTag(fmt.Sprintf("parquet:%q", tag))}
	}
	return parquet.NewSchema("decision", parquet.SchemaOf(reflect.New(reflect.StructOf(fields)).Interface())), nil
}

func (p *parquetFile) write(b *batch, rows []int) error {
	for len(rows) > 0 {
		n := min(len(rows), rowsPerGroup-p.inGroup)
		if err := p.add(b, rows[:n]); err != nil {
			return err
		}
		rows = rows[n:]
		if p.inGroup == rowsPerGroup {
			if err := p.endGroup(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *parquetFile) add(b *batch, rows []int) error {
	for i := range p.columns {
		p.values = p.values[:0]
		for _, row := range rows {
			p.values = append(p.values, parquetValue(b, &p.columns[i], row, i))
		}
		if _, err := p.into[i].WriteRowValues(p.values); err != nil {
			return fmt.Errorf("column %s: %w", p.columns[i].Name, err)
		}
	}
	p.inGroup += len(rows)
	return nil
}

func parquetValue(b *batch, c *column, row, index int) parquet.Value {
	level := 0
	if c.nullable {
		if b.null(c.slot, row) {
			return parquet.NullValue().Level(0, 0, index)
		}
		level = 1
	}
	var v parquet.Value
	switch c.kind {
	case decision.KindFloat:
		v = parquet.DoubleValue(b.float(c.slot, row))
	case decision.KindInt, decision.KindTime:
		v = parquet.Int64Value(int64(b.slots[c.slot].bits[row]))
	case decision.KindBool:
		v = parquet.BooleanValue(b.slots[c.slot].bits[row] != 0)
	default:
		v = parquet.ByteArrayValue(b.text(c.slot, row))
	}
	return v.Level(0, level, index)
}

func (p *parquetFile) endGroup() error {
	for i, column := range p.into {
		if err := column.Close(); err != nil {
			return fmt.Errorf("column %s: %w", p.columns[i].Name, err)
		}
	}
	p.inGroup = 0
	return p.writer.Flush()
}

func (p *parquetFile) close() error {
	if p.inGroup > 0 {
		if err := p.endGroup(); err != nil {
			return err
		}
	}
	return p.writer.Close()
}
