package rows

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
)

// Table is the rows of one file, or of the database, as text: what a CSV has in
// its cells.
type Table interface {
	// Header returns the columns' names; io.EOF where there is not even that,
	// and a *ContentError where the form is at fault.
	Header() ([]string, error)
	// Next returns a row and its line, valid until the next call; io.EOF after
	// the last, and a *ContentError for a row that is at fault alone.
	Next() (cells []string, line int, err error)
	Close() error
}

// ContentError is the file's fault rather than the disk's.
type ContentError struct {
	Line int
	Rule string
}

func (e *ContentError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Rule) }

// CSV is a table with a header.
type CSV struct {
	rows   *csv.Reader
	closer io.Closer
}

// NewCSV reads from what Close will close.
func NewCSV(from io.ReadCloser) *CSV {
	rows := csv.NewReader(bufio.NewReaderSize(from, 256<<10))
	rows.ReuseRecord = true
	return &CSV{rows: rows, closer: from}
}

// OpenCSV opens a file.
func OpenCSV(path string) (Table, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	return NewCSV(file), nil
}

// Header reads the first line.
func (t *CSV) Header() ([]string, error) {
	cells, err := t.rows.Read()
	return append([]string(nil), cells...), asContent(err)
}

// Next reads the next line that is not empty.
func (t *CSV) Next() ([]string, int, error) {
	cells, err := t.rows.Read()
	if err != nil {
		return nil, 0, asContent(err)
	}
	line, _ := t.rows.FieldPos(0)
	return cells, line, nil
}

// Close closes what it reads from.
func (t *CSV) Close() error { return t.closer.Close() }

func asContent(err error) error {
	var parse *csv.ParseError
	if errors.As(err, &parse) {
		return &ContentError{parse.StartLine, parse.Err.Error()}
	}
	return err
}
