package export

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/novacron/dwcp-telemetry/trainingset"
)

// ErrNotMigrated is the error for a database that has no table of decisions.
var ErrNotMigrated = errors.New("the database holds no table of decisions; `dwcp-telemetry migrate up` makes it")

// snapshot is the moment of the table that one export sees.
type snapshot struct {
	tx   pgx.Tx
	rows conditions
	window
	info   trainingset.Snapshot
	schema trainingset.Schema
}

// openSnapshot begins the transaction and asks the database for the time: the
// clock of this machine may be wrong.
func openSnapshot(ctx context.Context, conn *pgx.Conn, f *Filter) (*snapshot, error) {
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return nil, fmt.Errorf("begin the export's snapshot: %w", err)
	}
	s := &snapshot{tx: tx}
	if err := s.prepare(ctx, f); err != nil {
		s.close(ctx)
		return nil, err
	}
	return s, nil
}

func (s *snapshot) prepare(ctx context.Context, f *Filter) error {
	// The login may have others. Texts are UTF-8, SQL constants are as written.
	_, err := s.tx.Exec(ctx, "SET LOCAL client_encoding = 'UTF8'; SET LOCAL standard_conforming_strings = on")
	if err != nil {
		return fmt.Errorf("set up the export's session: %w", err)
	}
	if err := s.describe(ctx); err != nil {
		return err
	}
	s.window = f.window(s.info.At)
	s.rows, err = f.conditions(s.window, s.tx.Conn().PgConn())
	return err
}

const describeSQL = `
SELECT now(), pg_current_snapshot()::text,
       CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END::text,
       current_setting('server_version')`

const schemaSQL = `
SELECT encode(sha256(string_agg(attname || ' ' || format_type(atttypid, atttypmod), E'\n' ORDER BY attnum)::bytea), 'hex')
FROM pg_attribute WHERE attrelid = '` + view + `'::regclass AND attnum > 0 AND NOT attisdropped`

// migrationSQL asks only where the login may: an installation need not let the
// ML team see goose's table.
const migrationSQL = `
SELECT coalesce(has_table_privilege(to_regclass('public.goose_db_version'), 'SELECT'), false)`

// describe notes which moment it is, and of what form the table.
func (s *snapshot) describe(ctx context.Context) error {
	i := &s.info
	if err := s.tx.QueryRow(ctx, describeSQL).Scan(&i.At, &i.Snapshot, &i.LSN, &i.ServerVersion); err != nil {
		return fmt.Errorf("read which snapshot it is: %w", err)
	}
	i.At = i.At.UTC()
	if err := s.tx.QueryRow(ctx, schemaSQL).Scan(&s.schema.ColumnsSHA256); err != nil {
		return explain("read the columns of "+view, err)
	}
	var visible bool
	err := s.tx.QueryRow(ctx, migrationSQL).Scan(&visible)
	if err == nil && visible {
		err = s.tx.QueryRow(ctx, "SELECT coalesce(max(version_id), 0) FROM public.goose_db_version WHERE is_applied").Scan(&s.schema.Migration)
	}
	if err != nil {
		return fmt.Errorf("read the last migration: %w", err)
	}
	return nil
}

// close gives the connection back as it was, also after a cancelled export.
func (s *snapshot) close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	_ = s.tx.Rollback(ctx) // nothing was written, so nothing is lost with it
}

// about is the planner's guess of how many rows pass: good enough for a
// progress bar, and free.
func (s *snapshot) about(ctx context.Context) int64 {
	var plan []struct {
		Plan struct {
			Rows float64 `json:"Plan Rows"`
		}
	}
	err := s.tx.QueryRow(ctx, "EXPLAIN (FORMAT JSON) SELECT 1"+s.rows.from()).Scan(&plan)
	if err != nil || len(plan) == 0 {
		return 0
	}
	return int64(plan[0].Plan.Rows)
}

// whyEmpty says how many rows there are and what keeps them out. It reads the
// whole table, which is worth it: an empty export is always a surprise.
func (s *snapshot) whyEmpty(ctx context.Context) (string, error) {
	var counts []int64
	if err := s.tx.QueryRow(ctx, s.rows.failures()).Scan(&counts); err != nil {
		return "", explain("count the rows outside the filter", err)
	}
	if counts[0] == 0 {
		return "the table holds no rows yet, so the export has none", nil
	}
	var why []string
	for i, c := range s.rows {
		if n := counts[i+1]; n > 0 {
			why = append(why, fmt.Sprintf("%d %s", n, c.failed))
		}
	}
	return fmt.Sprintf("no row passes the filter, so the export has none; of the %d rows in the table: %s",
		counts[0], strings.Join(why, ", ")), nil
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
