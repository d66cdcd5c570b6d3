package partitions

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// DB is a *pgx.Conn, a pgx.Tx or a *pgxpool.Pool.
type DB interface {
	Querier
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

// Querier reads.
type Querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// State is how a partition stands.
type State string

// The life of a partition, and two ways out of it.
const (
	Attached      State = "attached"
	Expired       State = "expired" // attached, and all in it is older than the retention
	DetachPending State = "detach pending"
	Detached      State = "detached"     // by the keeper, and not dropped yet
	NotAttached   State = "not attached" // named like one, but by somebody's hand it is none
)

// Partition is one partition of the table.
type Partition struct {
	Name          string    `json:"name"`
	Schema        string    `json:"schema,omitempty"` // "" for public; another where somebody moved it or made it there
	From          time.Time `json:"from,omitzero"`    // zero for one without lower bound
	To            time.Time `json:"to,omitzero"`      // excluded; zero for one without upper bound
	State         State     `json:"state"`
	EstimatedRows int64     `json:"estimated_rows"`
	Bytes         int64     `json:"bytes"` // with its indexes

	marked bool // by the keeper, to be dropped once it is detached
}

// Holds reports whether a decision of that moment belongs into it. Of a DEFAULT
// partition it says no: what belongs there depends on the others.
func (p Partition) Holds(moment time.Time) bool {
	return !p.IsDefault() && !moment.Before(p.From) && (p.To.IsZero() || moment.Before(p.To))
}

// IsDefault reports that it takes what no other does.
func (p Partition) IsDefault() bool { return p.From.IsZero() && p.To.IsZero() }

// inPlace reports that decisions can be written into it.
func (p Partition) inPlace() bool { return p.State == Attached || p.State == Expired }

//go:embed sql/list.sql
var listSQL string

// List returns the partitions in the order of time, then what is none any more.
// It reads the catalog only.
func List(ctx context.Context, q Querier) ([]Partition, error) {
	rows, err := q.Query(ctx, listSQL, mark)
	if err != nil {
		return nil, explain("list the partitions", err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (p Partition, err error) {
		var from, to *time.Time
		err = row.Scan(&p.Name, &p.Schema, &from, &to, &p.State, &p.marked, &p.EstimatedRows, &p.Bytes)
		p.From, p.To = orZero(from), orZero(to)
		return p, err
	})
	if err != nil {
		return nil, explain("list the partitions", err)
	}
	return all, nil
}

// ErrNotMigrated is the error for a database that has no such functions.
var ErrNotMigrated = errors.New("the database lacks functions of this version; `dwcp-telemetry migrate up` makes them")

// explain says what was being done and, where the schema is missing, what makes
// it.
func explain(doing string, err error) error {
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "42883" { // undefined_function
		return fmt.Errorf("%s: %w (%w)", doing, ErrNotMigrated, err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

func orZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}

// CoveredUntil returns the first moment from then on that no partition holds;
// zero where there will never be one.
func CoveredUntil(all []Partition, then time.Time) time.Time {
	for {
		next, held := then, false
		for _, p := range all {
			if p.inPlace() && p.Holds(then) {
				next, held = p.To, true
			}
		}
		if !held || next.IsZero() {
			return next
		}
		then = next
	}
}

// CountAhead returns how many partitions begin after that moment.
func CountAhead(all []Partition, now time.Time) (n int) {
	for _, p := range all {
		if p.inPlace() && p.From.After(now) {
			n++
		}
	}
	return n
}
