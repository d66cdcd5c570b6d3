package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/novacron/dwcp-telemetry/decision"
)

// copyFiles writes rows into files for psql, in binary COPY form.
func copyFiles(dir string, s *source, rows, files int) (paths []string, err error) {
	for i := range files {
		data := append([]byte(nil), decision.CopyHeader...)
		for range rows / files {
			d := s.next()
			data = decision.AppendCopyRow(data, &d)
		}
		path := filepath.Join(dir, fmt.Sprintf("rows-%d.bin", i))
		if err := os.WriteFile(path, append(data, decision.CopyTrailer...), 0o600); err != nil {
			return nil, err
		}
		paths = append(paths, path)
	}
	return paths, nil
}

// psqlCopy is what everything else is measured against: as many psql at once as
// there are files.
func (b *bench) psqlCopy(ctx context.Context, files int) (*measured, error) {
	dir, err := os.MkdirTemp(b.dir, "copy-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	paths, err := copyFiles(dir, b.source, b.rows, files)
	if err != nil {
		return nil, err
	}
	return b.measure(ctx, b.rows, func() error {
		return atOnce(files, func(i int) error {
			return b.server.runPsql(ctx, fmt.Sprintf(`\copy %s (%s) from '%s' with (format binary)`,
				tableName, strings.Join(decision.Columns(), ", "), paths[i]))
		})
	})
}

// atOnce runs n functions at once and joins their errors.
func atOnce(n int, run func(i int) error) error {
	var all sync.WaitGroup
	failed := make([]error, n)
	for i := range n {
		all.Go(func() { failed[i] = run(i) })
	}
	all.Wait()
	return errors.Join(failed...)
}

// pgxCopy writes with pgx's own CopyFrom, which gets each value as an `any`: in
// batches as the exporter, one connection.
func (b *bench) pgxCopy(ctx context.Context) (*measured, error) {
	conn, err := pgx.Connect(ctx, b.server.writerURL())
	if err != nil {
		return nil, err
	}
	defer conn.Close(ctx)
	batches := make([][]decision.Decision, b.rows/batchRows)
	for i := range batches {
		batches[i] = b.nextBatch()
	}
	return b.measure(ctx, len(batches)*batchRows, func() error {
		for _, batch := range batches {
			from := pgx.CopyFromSlice(len(batch), func(i int) ([]any, error) { return generic(&batch[i]), nil })
			if _, err := conn.CopyFrom(ctx, pgx.Identifier{"public", "compression_telemetry"}, decision.Columns(), from); err != nil {
				return err
			}
		}
		return nil
	})
}

func (b *bench) nextBatch() []decision.Decision {
	batch := make([]decision.Decision, batchRows)
	for i := range batch {
		batch[i] = b.source.next()
	}
	return batch
}

// generic is a decision as pgx takes rows.
func generic(d *decision.Decision) []any {
	fields := decision.Fields()
	values := make([]any, len(fields))
	for i := range fields {
		v, ok := fields[i].Value(d)
		if !ok {
			continue
		}
		switch v.Kind() {
		case decision.KindInt:
			values[i] = v.Int()
		case decision.KindFloat:
			values[i] = v.Float()
		case decision.KindBool:
			values[i] = v.Bool()
		case decision.KindTime:
			values[i] = v.Time()
		case decision.KindFlagSet:
			values[i] = v.Flags().Names()
		default:
			values[i] = v.Text()
		}
	}
	// The id is the one text that goes into a column of 16 bytes.
	values[eventIDAt] = [16]byte(d.EventID)
	if d.RecorderID.Set {
		values[recorderIDAt] = [16]byte(d.RecorderID.Value)
	}
	return values
}

var eventIDAt, recorderIDAt = columnAt("event_id"), columnAt("recorder_id")

func columnAt(column string) int {
	i, _ := decision.Index(decision.Column(column).Name())
	return i
}
