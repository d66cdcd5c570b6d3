package rows

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"github.com/novacron/dwcp-telemetry/decision"
)

// parquetTable gives the rows of a Parquet file in the words of a CSV: shortest
// exact numbers, RFC 3339, nothing for null. So both go through the same checks.
type parquetTable struct {
	file    *os.File
	names   []string
	as      []func(parquet.Value) string
	groups  []parquet.RowGroup
	rows    parquet.Rows
	buffer  []parquet.Row
	at, has int
	line    int
	cells   []string
	broken  error // that it is no Parquet file that holds a table
}

// parquetBatch is how many rows are read at once.
const parquetBatch = 256

// OpenParquet opens a file. What is wrong with its form, Header tells.
func OpenParquet(path string) (Table, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	t := &parquetTable{file: file, buffer: make([]parquet.Row, parquetBatch)}
	info, err := file.Stat()
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	if t.broken = t.open(info.Size()); t.broken != nil {
		t.broken = &ContentError{Rule: "is no Parquet file that can be read: " + t.broken.Error()}
	}
	return t, nil
}

func (t *parquetTable) open(size int64) (err error) {
	defer recovered(&err)
	opened, err := parquet.OpenFile(t.file, size)
	if err != nil {
		return err
	}
	for _, field := range opened.Schema().Fields() {
		if !field.Leaf() || field.Repeated() {
			return fmt.Errorf("column %s is no simple one", field.Name())
		}
		t.names = append(t.names, field.Name())
		t.as = append(t.as, parquetText(field.Type()))
	}
	t.groups = opened.RowGroups()
	t.cells = make([]string, len(t.names))
	return nil
}

// Header returns the columns' names.
func (t *parquetTable) Header() ([]string, error) { return t.names, t.broken }

// Next returns the next row; its number stands for the line.
func (t *parquetTable) Next() ([]string, int, error) {
	for t.at == t.has {
		if err := t.fill(); err != nil {
			return nil, 0, err
		}
	}
	row := t.buffer[t.at]
	t.at++
	t.line++
	for i := range t.cells {
		t.cells[i] = ""
	}
	for _, v := range row {
		if !v.IsNull() {
			t.cells[v.Column()] = t.as[v.Column()](v)
		}
	}
	return t.cells, t.line, nil
}

// fill reads the next rows of this row group, or goes on to the next group.
func (t *parquetTable) fill() (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = t.torn(fmt.Errorf("%v", p))
		}
	}()
	if t.rows == nil {
		if len(t.groups) == 0 {
			return io.EOF
		}
		t.rows, t.groups = t.groups[0].Rows(), t.groups[1:]
	}
	n, err := t.rows.ReadRows(t.buffer)
	t.at, t.has = 0, n
	if errors.Is(err, io.EOF) {
		err = t.rows.Close()
		t.rows = nil
	}
	if err != nil {
		return t.torn(err)
	}
	return nil
}

// torn ends the reading: pages lie compressed, and after one that is torn
// nothing can be found again.
func (t *parquetTable) torn(why error) error {
	t.groups, t.rows, t.at, t.has = nil, nil, 0, 0
	return &ContentError{t.line + 1, "cannot be read, nor what follows: " + why.Error()}
}

// recovered makes an error of a panic: the library trusts what a file says of
// itself.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%v", p)
	}
}

// Close closes the file.
func (t *parquetTable) Close() error {
	if t.rows != nil {
		_ = t.rows.Close() // of a file only read
	}
	return t.file.Close()
}

// parquetText says how values of a type are written.
func parquetText(of parquet.Type) func(parquet.Value) string {
	if logical := of.LogicalType(); logical != nil {
		if stamp, ok := logical.Value.(*format.TimestampType); ok && stamp.Unit.Value != nil {
			unit := stamp.Unit.Value.Duration()
			return func(v parquet.Value) string { return timeText(v.Int64(), unit) }
		}
	}
	switch of.Kind() {
	case parquet.Boolean:
		return func(v parquet.Value) string { return strconv.FormatBool(v.Boolean()) }
	case parquet.Int32:
		return func(v parquet.Value) string { return strconv.FormatInt(int64(v.Int32()), 10) }
	case parquet.Int64:
		return func(v parquet.Value) string { return strconv.FormatInt(v.Int64(), 10) }
	case parquet.Float:
		return func(v parquet.Value) string { return strconv.FormatFloat(float64(v.Float()), 'g', -1, 32) }
	case parquet.Double:
		return func(v parquet.Value) string { return strconv.FormatFloat(v.Double(), 'g', -1, 64) }
	case parquet.ByteArray, parquet.FixedLenByteArray:
		return func(v parquet.Value) string { return string(v.ByteArray()) }
	}
	return func(v parquet.Value) string { return v.String() }
}

// timeText writes a time since 1970. Nanoseconds are cut: decisions are stored
// in microseconds.
func timeText(since int64, unit time.Duration) string {
	perSecond := int64(time.Second / unit)
	at := time.Unix(since/perSecond, since%perSecond*int64(unit))
	return decision.TimeValue(at).String()
}
