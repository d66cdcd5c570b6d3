package validate

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
)

// table is the rows of one file, or of the database, as text: what a CSV has in
// its cells.
type table interface {
	// header returns the columns' names; io.EOF where there is not even that,
	// and a *contentError where the form is at fault.
	header() ([]string, error)
	// next returns a row and its line, valid until the next call; io.EOF after
	// the last, and a *contentError for a row that is at fault alone.
	next() (cells []string, line int, err error)
	close() error
}

// contentError is the file's fault rather than the disk's.
type contentError struct {
	line int
	rule string
}

func (e *contentError) Error() string { return fmt.Sprintf("line %d: %s", e.line, e.rule) }

type csvTable struct {
	rows   *csv.Reader
	closer io.Closer
}

func newCSVTable(from io.ReadCloser) *csvTable {
	rows := csv.NewReader(bufio.NewReaderSize(from, 256<<10))
	rows.ReuseRecord = true
	return &csvTable{rows: rows, closer: from}
}

func openCSV(path string) (table, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	return newCSVTable(file), nil
}

func (t *csvTable) header() ([]string, error) {
	cells, err := t.rows.Read()
	return append([]string(nil), cells...), asContent(err)
}

func (t *csvTable) next() ([]string, int, error) {
	cells, err := t.rows.Read()
	if err != nil {
		return nil, 0, asContent(err)
	}
	line, _ := t.rows.FieldPos(0)
	return cells, line, nil
}

func (t *csvTable) close() error { return t.closer.Close() }

func asContent(err error) error {
	var parse *csv.ParseError
	if errors.As(err, &parse) {
		return &contentError{parse.StartLine, parse.Err.Error()}
	}
	return err
}
