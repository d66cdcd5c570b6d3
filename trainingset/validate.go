package trainingset

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/novacron/dwcp-telemetry/internal/oracle"
)

// ValidateOptions change what Validate expects. The zero value is the default.
type ValidateOptions struct {
	Rule oracle.Rule // the rule the labels were made with; oracle.Plan where it is zero
}

// Validate checks a CSV, or the one of that name in a folder. What is wrong with
// the content is in the report; an error means that it could not be read. Memory
// grows by about 40 bytes a row: outliers need all values of three columns.
func Validate(ctx context.Context, path string, o ValidateOptions) (Report, error) {
	if o.Rule.Version() == "" {
		o.Rule = oracle.Plan
	}
	path, err := findCSV(path)
	if err != nil {
		return Report{}, err
	}
	file, err := os.Open(path)
	if err != nil {
		return Report{}, fmt.Errorf("open the training set: %w", err)
	}
	defer file.Close()
	v := newValidator(path, o.Rule)
	if err := v.read(ctx, file); err != nil {
		return Report{}, fmt.Errorf("read the training set %s: %w", path, err)
	}
	return v.report(), nil
}

func findCSV(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("open the training set: %w", err)
	}
	if !info.IsDir() {
		return path, nil
	}
	inside := filepath.Join(path, FileName)
	if _, err := os.Stat(inside); err != nil {
		return "", fmt.Errorf("find the training set in the folder %s: %w", path, err)
	}
	return inside, nil
}

// rowsPerCheck is how many rows pass between two looks at the context.
const rowsPerCheck = 1024

// read walks through the file; what a row means is for row.go to say.
func (v *validator) read(ctx context.Context, r io.Reader) error {
	rows := csv.NewReader(bufio.NewReaderSize(r, 256<<10))
	rows.ReuseRecord = true
	header, err := rows.Read()
	switch {
	case errors.Is(err, io.EOF):
		v.header.Skipped = "the file is empty"
		return nil
	case isContent(err):
		v.malformed(err)
		return nil
	case err != nil:
		return err
	}
	v.readHeader(header)
	for n := 0; ; n++ {
		if n%rowsPerCheck == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		cells, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil && !isContent(err) {
			return err
		}
		v.records++
		if err != nil {
			v.malformed(err)
			continue
		}
		line, _ := rows.FieldPos(0)
		v.row(line, cells)
	}
}

// isContent reports whether the file is at fault rather than the disk.
func isContent(err error) bool {
	var parse *csv.ParseError
	return errors.As(err, &parse)
}

func (v *validator) malformed(err error) {
	var parse *csv.ParseError
	errors.As(err, &parse)
	v.rows.found(Sample{Line: parse.StartLine, Rule: parse.Err.Error()})
}
