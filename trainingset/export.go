package trainingset

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// ErrNotMigrated is the error for a database that has no table of decisions.
var ErrNotMigrated = errors.New("the database holds no table of decisions; `dwcp-telemetry migrate up` makes it")

// Export writes the rows that pass the filter to FileName in dir, oldest first.
// It makes dir, for its owner alone, where it is missing. conn must be idle;
// a cancelled export closes it.
func Export(ctx context.Context, conn *pgx.Conn, dir string, o ExportOptions) (ExportResult, error) {
	if err := o.validate(); err != nil {
		return ExportResult{}, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return ExportResult{}, fmt.Errorf("make the folder %s: %w", dir, err)
	}
	s, err := openSnapshot(ctx, conn, o)
	if err != nil {
		return ExportResult{}, err
	}
	defer s.close(ctx)
	result, err := s.summarize(ctx)
	if err != nil {
		return ExportResult{}, err
	}
	result.File = filepath.Join(dir, FileName)
	result.Bytes, err = writeAtomically(result.File, func(w io.Writer) error { return s.copyTo(ctx, w, result.Rows) })
	if err != nil {
		return ExportResult{}, err
	}
	return result, nil
}

// snapshot is the moment of the table that one export sees.
type snapshot struct {
	tx       pgx.Tx
	from, to time.Time // from is zero where the filter has no cut-off
	filter   filter
}

// openSnapshot begins the transaction and asks the database for the time: the
// clock of this machine may be wrong.
func openSnapshot(ctx context.Context, conn *pgx.Conn, o ExportOptions) (*snapshot, error) {
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return nil, fmt.Errorf("begin the export's snapshot: %w", err)
	}
	s := &snapshot{tx: tx}
	// Below 1, floats would be rounded; a server may be set up that way.
	_, err = tx.Exec(ctx, "SET LOCAL extra_float_digits = 1")
	if err == nil {
		err = tx.QueryRow(ctx, "SELECT now()").Scan(&s.to)
	}
	if err != nil {
		s.close(ctx)
		return nil, fmt.Errorf("read the database's time: %w", err)
	}
	s.to = s.to.UTC()
	if o.Since > 0 {
		s.from = s.to.Add(-o.Since).Truncate(time.Microsecond)
	}
	s.filter = newFilter(o, s.from)
	return s, nil
}

// close gives the connection back as it was, also after a cancelled export.
func (s *snapshot) close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	_ = s.tx.Rollback(ctx) // nothing was written, so nothing is lost with it
}

// copyTo streams the CSV. want is what the summary counted in this snapshot.
func (s *snapshot) copyTo(ctx context.Context, w io.Writer, want int64) error {
	sql := "COPY (" + s.filter.selection(selectList()) + ") TO STDOUT WITH (FORMAT csv, HEADER, ENCODING 'UTF8')"
	tag, err := s.tx.Conn().PgConn().CopyTo(ctx, w, sql)
	if err != nil {
		return explain("copy the rows out of "+view, err)
	}
	if tag.RowsAffected() != want {
		return fmt.Errorf("copy the rows out of %s: got %d rows where the same snapshot counted %d", view, tag.RowsAffected(), want)
	}
	return nil
}

// explain says what was being done and, where the schema is missing, what
// makes it.
func explain(doing string, err error) error {
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) && pgErr.Code == "42P01" { // undefined_table
		return fmt.Errorf("%s: %w (%w)", doing, ErrNotMigrated, err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}
