package validate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/trainingset"
	"github.com/novacron/dwcp-telemetry/trainingset/rows"
)

// view is what the role dwcp_ml_reader may read.
const view = "public.compression_telemetry_ml"

// Database checks the rows of the table, oldest first, from one snapshot, or
// those not older than since, where that is not 0. conn must be idle.
func Database(ctx context.Context, conn *pgx.Conn, since time.Duration, o Options) (_ *Report, err error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return nil, fmt.Errorf("begin the snapshot: %w", err)
	}
	defer func() {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		_ = tx.Rollback(end) // nothing was written, so nothing is lost with it
	}()
	// The login may have others.
	const settings = "SET LOCAL client_encoding = 'UTF8'; SET LOCAL standard_conforming_strings = on; SET LOCAL extra_float_digits = 1"
	if _, err := tx.Exec(ctx, settings); err != nil {
		return nil, fmt.Errorf("set up the session: %w", err)
	}
	if o.Now.IsZero() { // the clock of this machine may be wrong
		if err := tx.QueryRow(ctx, "SELECT now()").Scan(&o.Now); err != nil {
			return nil, fmt.Errorf("ask the database for the time: %w", err)
		}
	}
	v, err := newValidator("the table of decisions", nil, o)
	if err != nil {
		return nil, err
	}
	v.fromDatabase = true
	part := &part{open: func() (rows.Table, error) { return copyOut(ctx, tx.Conn().PgConn(), since), nil }}
	if err := v.readPart(ctx, part); err != nil {
		return nil, explain(err)
	}
	return v.report(), nil
}

// copyOut streams the table as CSV.
func copyOut(ctx context.Context, conn *pgconn.PgConn, since time.Duration) rows.Table {
	reader, writer := io.Pipe()
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, err := conn.CopyTo(ctx, writer, copySQL(since))
		writer.CloseWithError(err) // nil closes with io.EOF
	}()
	return &copyTable{CSV: rows.NewCSV(reader), stop: func() { cancel(); <-done }}
}

type copyTable struct {
	*rows.CSV
	stop func()
}

// close ends the COPY where it is still under way. Nothing else may use the
// connection until then.
func (t *copyTable) Close() error {
	err := t.CSV.Close()
	t.stop()
	return err
}

// next counts rows: a line of a stream that nobody keeps says nothing.
func (t *copyTable) Next() ([]string, int, error) {
	cells, line, err := t.CSV.Next()
	return cells, line - 1, err
}

// columnsRead are all the table has, so that every check can be made.
func columnsRead() []trainingset.Column {
	return trainingset.All.Columns(trainingset.Further{Identity: true})
}

func copySQL(since time.Duration) string {
	var columns []string
	for _, c := range columnsRead() {
		if c.Field == nil {
			continue
		}
		columns = append(columns, textSQL(c.Field)+" AS "+pgx.Identifier{c.Name}.Sanitize())
	}
	sql := "COPY (SELECT " + strings.Join(columns, ", ") + " FROM " + view + " t"
	if since > 0 {
		sql += fmt.Sprintf(" WHERE t.timestamp >= now() - interval '%d microseconds'", since.Microseconds())
	}
	return sql + " ORDER BY t.timestamp, t.event_id) TO STDOUT (FORMAT csv, HEADER)"
}

// textSQL writes a value as a CSV of export has it.
func textSQL(f *decision.Field) string {
	name := "t." + pgx.Identifier{f.Column}.Sanitize()
	switch f.Kind {
	case decision.KindTime:
		return "to_char(" + name + ` AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`
	case decision.KindBool:
		return name + "::text"
	case decision.KindFlagSet:
		return "array_to_string(" + name + ", ',')"
	}
	return name
}

// explain says what makes the view where it is missing.
func explain(err error) error {
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) && pgErr.Code == "42P01" { // undefined_table
		return fmt.Errorf("%w (the database holds no table of decisions; `dwcp-telemetry migrate up` makes it)", err)
	}
	return err
}
