package review

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/novacron/dwcp-telemetry/decision"
)

// The columns that are not facts.
const (
	rowColumn       = "row"
	judgementColumn = "judgement" // HDE, AMST or unsure
	commentColumn   = "comment"
)

// KeyPath is where the labels of a sheet lie.
func KeyPath(sheet string) string { return sheet + ".key.json" }

// Write writes sheet and key. It overwrites neither: there may be judgements in
// it.
func (s *Sheet) Write(path string) error {
	key, err := json.MarshalIndent(s.Key, "", "  ")
	if err != nil {
		return fmt.Errorf("write the key of the review: %w", err)
	}
	table, err := s.encode()
	if err != nil {
		return fmt.Errorf("write the sheet of the review: %w", err)
	}
	if err := create(path, table); err != nil {
		return fmt.Errorf("write the sheet of the review: %w", err)
	}
	if err := create(KeyPath(path), append(key, '\n')); err != nil {
		_ = os.Remove(path) // without its key it is of no use
		return fmt.Errorf("write the key of the review: %w", err)
	}
	return nil
}

func create(path string, content []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	return errors.Join(err, file.Close())
}

func (s *Sheet) encode() ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	header := []string{rowColumn}
	for _, f := range facts {
		header = append(header, f.Column)
	}
	if err := w.Write(append(header, judgementColumn, commentColumn)); err != nil {
		return nil, err
	}
	for i, values := range s.facts {
		line := []string{strconv.Itoa(s.Key.Rows[i].Row)}
		for at, v := range values {
			line = append(line, cell(facts[at], v))
		}
		if err := w.Write(append(line, "", "")); err != nil {
			return nil, err
		}
	}
	w.Flush()
	return b.Bytes(), w.Error()
}

// cell keeps a spreadsheet from taking a text for a formula.
func cell(f *decision.Field, value string) string {
	if f.Kind == decision.KindText && strings.IndexAny(value, "=+-@\t\r") == 0 {
		return "'" + value
	}
	return value
}

// judged is one row of a sheet that came back.
type judged struct{ row, judgement, comment string }

// readSheet reads what a spreadsheet may have made of a sheet: with a byte-order
// mark, semicolons or tabs, columns moved.
func readSheet(path string) ([]judged, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	content = bytes.TrimPrefix(content, []byte("\ufeff"))
	head, _, _ := bytes.Cut(content, []byte("\n"))
	r := csv.NewReader(bytes.NewReader(content))
	for _, delimiter := range []rune{';', '\t'} {
		if bytes.ContainsRune(head, delimiter) {
			r.Comma = delimiter
		}
	}
	r.FieldsPerRecord, r.LazyQuotes = -1, true
	header, err := r.Read()
	if err != nil {
		return nil, fmt.Errorf("read the header: %w", err)
	}
	at := map[string]int{}
	for i, name := range header {
		at[strings.ToLower(strings.TrimSpace(name))] = i
	}
	for _, needed := range []string{rowColumn, judgementColumn} {
		if _, there := at[needed]; !there {
			return nil, fmt.Errorf("there is no column %s", needed)
		}
	}
	var all []judged
	for {
		line, err := r.Read()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		value := func(column string) string {
			if i, there := at[column]; there && i < len(line) {
				return strings.TrimSpace(line[i])
			}
			return ""
		}
		if one := (judged{value(rowColumn), value(judgementColumn), value(commentColumn)}); one != (judged{}) {
			all = append(all, one)
		}
	}
}
