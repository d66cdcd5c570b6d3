package rejected

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/novacron/dwcp-telemetry/decision"
)

// Querier is a *pgx.Conn, a pgx.Tx or a *pgxpool.Pool.
type Querier interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// Count is how many rows there are of a reason and a field.
type Count struct {
	Reason     string `json:"reason"`
	Field      string `json:"field,omitempty"`
	Rows       int64  `json:"rows"`
	Replayable int64  `json:"replayable"` // of them
}

// List is what a filter finds.
type List struct {
	Total  int64   `json:"total"`
	Counts []Count `json:"counts"` // the most first
	Rows   []Row   `json:"rows"`   // the newest first, at most as many as asked for
}

const countSQL = `SELECT reason, coalesce(field, ''), count(*), count(*) FILTER (WHERE octet_length(original) > 0 AND NOT truncated AND reason <> $8::text)
	FROM public.compression_telemetry_rejected WHERE ` + where + ` GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2`

const listSQL = `SELECT ` + columns + ` FROM public.compression_telemetry_rejected WHERE ` + where + ` ORDER BY received_at DESC, digest LIMIT $8`

// Read counts all that the filter finds and returns the newest rows.
func Read(ctx context.Context, q Querier, f Filter, limit int) (List, error) {
	list := List{Counts: []Count{}, Rows: []Row{}}
	args, err := f.arguments()
	if err != nil {
		return list, err
	}
	found, err := q.Query(ctx, countSQL, append(args, string(decision.Unreadable))...)
	if err != nil {
		return list, explain("count the rejected decisions", err)
	}
	if list.Counts, err = pgx.AppendRows(list.Counts, found, pgx.RowToStructByPos[Count]); err != nil {
		return list, explain("count the rejected decisions", err)
	}
	for _, c := range list.Counts {
		list.Total += c.Rows
	}
	if found, err = q.Query(ctx, listSQL, append(args, limit)...); err != nil {
		return list, explain("list the rejected decisions", err)
	}
	if list.Rows, err = pgx.AppendRows(list.Rows, found, scanRow); err != nil {
		return list, explain("list the rejected decisions", err)
	}
	return list, nil
}

// ErrNotFound is the error for an id that no row has.
var ErrNotFound = errors.New("no rejected decision has an id that begins so")

const originalSQL = `SELECT coalesce(original, ''::bytea) FROM public.compression_telemetry_rejected WHERE digest = decode($1, 'hex')`

// Find returns the one row whose id begins with prefix, and its original.
func Find(ctx context.Context, q Querier, prefix string) (row Row, original []byte, err error) {
	list, err := Read(ctx, q, Filter{IDs: []string{prefix}, State: Any}, 3)
	switch {
	case err != nil:
		return row, nil, err
	case list.Total == 0:
		return row, nil, fmt.Errorf("%s: %w", prefix, ErrNotFound)
	case list.Total > 1:
		return row, nil, fmt.Errorf("%s: %d ids begin so, %s and %s among them: give more digits", prefix, list.Total, list.Rows[0].ID, list.Rows[1].ID)
	}
	if err := q.QueryRow(ctx, originalSQL, list.Rows[0].ID).Scan(&original); err != nil {
		return row, nil, explain("read the original", err)
	}
	return list.Rows[0], original, nil
}

const purgeSQL = `DELETE FROM public.compression_telemetry_rejected WHERE digest IN
	(SELECT digest FROM public.compression_telemetry_rejected WHERE ` + where + ` LIMIT $8)`

// purgeRows bounds one statement, so that none runs for long.
const purgeRows = 10_000

// Purge deletes what the filter finds, for good, and returns how many that
// were. A decision that is sent again after that counts as rejected once more.
func Purge(ctx context.Context, q Querier, f Filter) (deleted int64, err error) {
	args, err := f.arguments()
	if err != nil {
		return 0, err
	}
	for {
		done, err := q.Exec(ctx, purgeSQL, append(args, purgeRows)...)
		deleted += done.RowsAffected()
		if err != nil {
			return deleted, explain("delete rejected decisions", err)
		}
		if done.RowsAffected() < purgeRows {
			return deleted, nil
		}
	}
}

// explain says what was being done and what would have to be there for it.
func explain(doing string, err error) error {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		switch pg.Code {
		case "42P01", "42703", "42883": // undefined table, column, function
			return fmt.Errorf("%s: the database is not at the version of this program; `dwcp-telemetry migrate up` makes it so (%w)", doing, err)
		case "42501": // insufficient privilege
			return fmt.Errorf("%s: it takes a login with the role dwcp_maintainer (%w)", doing, err)
		}
	}
	return fmt.Errorf("%s: %w", doing, err)
}
