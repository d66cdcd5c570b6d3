package pgtelemetry

import (
	"context"
	_ "embed"
	"fmt"
	"io"
	"strings"

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

// copyRows streams rows in binary into a table.
func copyRows(ctx context.Context, tx pgx.Tx, statement string, rows []*row) error {
	if _, err := tx.Conn().PgConn().CopyFrom(ctx, &copyStream{rows: rows, rest: decision.CopyHeader}, statement); err != nil {
		return &copyError{rows: len(rows), cause: err}
	}
	return nil
}

// copyStream reads as header, rows and trailer. After an error of the
// connection pgx may go on reading for a moment.
type copyStream struct {
	rows  []*row // to come
	rest  []byte // of the one being read
	ended bool
}

func (s *copyStream) Read(p []byte) (n int, err error) {
	for n < len(p) {
		if len(s.rest) == 0 && !s.advance() {
			return n, io.EOF
		}
		copied := copy(p[n:], s.rest)
		n, s.rest = n+copied, s.rest[copied:]
	}
	return n, nil
}

// advance goes on to the next row, then to the trailer; false after that.
func (s *copyStream) advance() bool {
	switch {
	case len(s.rows) > 0:
		s.rest, s.rows = s.rows[0].copied, s.rows[1:]
	case !s.ended:
		s.rest, s.ended = decision.CopyTrailer, true
	default:
		return false
	}
	return true
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
	res := &result{written: newWritten()}
	if len(b.rows) == 0 {
		return res, nil
	}
	if err := copyRows(ctx, tx, copyTable, b.rows); err != nil {
		return nil, err
	}
	for _, r := range b.rows {
		res.written.add(r)
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
	res := &result{written: newWritten()}
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
