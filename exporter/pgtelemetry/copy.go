package pgtelemetry

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/novacron/dwcp-telemetry/decision"
)

const table = "public.compression_telemetry"

var (
	//go:embed sql/create_merge_table.sql
	createMergeTable string
	//go:embed sql/merge.sql
	mergeTemplate string
	//go:embed sql/count_conflicts.sql
	countConflictsTemplate string

	columns    = strings.Join(decision.Columns(), ", ")
	copyTable  = copyStatement(table)
	copyToTemp = copyStatement("pg_temp.dwcp_merge")

	mergeRows      = fmt.Sprintf(mergeTemplate, columns)
	countConflicts = fmt.Sprintf(countConflictsTemplate, contentColumns("stored"), contentColumns("came"))
)

func copyStatement(into string) string {
	return fmt.Sprintf("COPY %s (%s) FROM STDIN (FORMAT binary)", into, columns)
}

// contentFields are the fields that make the content of an event: not its
// label and quality, which relabel may change, not the Recorder, which a
// replay changes, and not the pseudonym, which changes with the key.
var contentFields = func() (content []*decision.Field) {
	fields := decision.Fields()
	for i := range fields {
		f := &fields[i]
		switch f.Role {
		case decision.RoleLabel, decision.RoleQuality, decision.RoleRecording:
			continue
		}
		if f.Column != "vm_id" && f.Column != "vm_key_id" {
			content = append(content, f)
		}
	}
	return content
}()

// contentColumns lists their columns for one side of a comparison.
func contentColumns(side string) string {
	list := make([]string, len(contentFields))
	for i, f := range contentFields {
		list[i] = side + "." + f.Column
	}
	return strings.Join(list, ", ")
}

// buffers hold encoded rows between batches; a batch of 5,000 has about 2 MB.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// copyRows streams rows in binary into a table.
func copyRows(ctx context.Context, tx pgx.Tx, statement string, rows []*row) error {
	kept := buffers.Get().(*[]byte)
	buf := (*kept)[:0]
	buf = append(buf, decision.CopyHeader...)
	for _, r := range rows {
		buf = decision.AppendCopyRow(buf, &r.decision)
	}
	buf = append(buf, decision.CopyTrailer...)
	*kept = buf
	if _, err := tx.Conn().PgConn().CopyFrom(ctx, bytes.NewReader(buf), statement); err != nil {
		// pgx may still be reading the buffer, so that one is not used again.
		return &copyError{rows: len(rows), cause: err}
	}
	buffers.Put(kept)
	return nil
}

// copyError is the error of a COPY, as opposed to that of any other statement.
type copyError struct {
	rows  int
	cause error
}

func (e *copyError) Error() string {
	return fmt.Sprintf("copy %d rows into %s: %v", e.rows, table, e.cause)
}
func (e *copyError) Unwrap() error { return e.cause }

// copyDirect is the way of almost every batch.
func copyDirect(ctx context.Context, tx pgx.Tx, b *batch) (*result, error) {
	res := &result{}
	if len(b.rows) == 0 {
		return res, nil
	}
	if err := copyRows(ctx, tx, copyTable, b.rows); err != nil {
		return nil, err
	}
	for _, r := range b.rows {
		res.written.add(&r.decision)
	}
	return res, nil
}

// copyMerge writes the rows that are not there yet.
func copyMerge(ctx context.Context, tx pgx.Tx, b *batch) (*result, error) {
	if _, err := tx.Exec(ctx, createMergeTable); err != nil {
		return nil, fmt.Errorf("make the merge table: %w", err)
	}
	if err := copyRows(ctx, tx, copyToTemp, b.rows); err != nil {
		return nil, err
	}
	return mergeTemp(ctx, tx, b)
}

func mergeTemp(ctx context.Context, tx pgx.Tx, b *batch) (*result, error) {
	res := &result{}
	found, err := tx.Query(ctx, mergeRows)
	if err != nil {
		return nil, fmt.Errorf("merge %d rows into %s: %w", len(b.rows), table, err)
	}
	if err := res.written.scan(found); err != nil {
		return nil, fmt.Errorf("merge %d rows into %s: %w", len(b.rows), table, err)
	}
	if res.written.rows == int64(len(b.rows)) {
		return res, nil
	}
	if _, err := tx.Exec(ctx, lookUpByKey, pgx.QueryExecModeSimpleProtocol); err != nil {
		return nil, fmt.Errorf("count conflicts: %w", err)
	}
	if err := tx.QueryRow(ctx, countConflicts).Scan(&res.conflict); err != nil {
		return nil, fmt.Errorf("count conflicts: %w", err)
	}
	return res, nil
}

// lookUpByKey makes the planner use the key also where it takes a partition,
// never analyzed, for a tiny one. What is switched off is priced so high that
// JIT would compile the query for longer than it runs.
const lookUpByKey = `SET LOCAL jit = off; SET LOCAL enable_seqscan = off`
