package ledger

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/internal/partitions"
	"github.com/novacron/dwcp-telemetry/trainingset"
)

// Querier is a *pgx.Conn, a pgx.Tx or a *pgxpool.Pool.
type Querier = partitions.Querier

// ErrNotMigrated is the error for a database that has no ledger.
var ErrNotMigrated = errors.New("the database holds no load ledger of this version; `dwcp-telemetry migrate up` makes it")

// Totals is the sum of the ledger.
type Totals struct {
	Batches    int64 `json:"batches"`
	Received   int64 `json:"received"`
	Written    int64 `json:"written"`
	Duplicate  int64 `json:"duplicate"`
	Conflict   int64 `json:"conflict"` // of the duplicates: other content under the same id
	Rejected   int64 `json:"rejected"`
	Removed    int64 `json:"removed"`    // of the written, by retention or at someone's wish
	Candidates int64 `json:"candidates"` // of the rows in the table

	Newest     time.Time `json:"newest,omitzero"`      // latest decision written; zero where there is none
	LastCommit time.Time `json:"last_commit,omitzero"` // of a batch; zero where there is none

	RejectedByReason map[string]int64    `json:"rejected_by_reason"`
	Labels           trainingset.Balance `json:"labels"` // of the rows in the table
}

//go:embed sql/totals.sql
var totalsTemplate string

// label is one that the ledger counts.
type label struct{ link, algorithm string }

var labels, totalsSQL = func() (all []label, sql string) {
	var sums []string
	for _, link := range decision.Column("link_type").Rule.Enum {
		for _, algorithm := range decision.Column("oracle_algorithm").Rule.Enum {
			all = append(all, label{link, algorithm})
			sums = append(sums, fmt.Sprintf("coalesce(sum((labels -> '%s' ->> '%s')::bigint), 0)::bigint", link, algorithm))
		}
	}
	return all, fmt.Sprintf(totalsTemplate, strings.Join(sums, ", "))
}()

// ReadTotals sums up the ledger.
func ReadTotals(ctx context.Context, q Querier) (Totals, error) {
	var t Totals
	var newest, lastCommit *time.Time
	var held []int64
	err := q.QueryRow(ctx, totalsSQL).Scan(&t.Batches, &t.Received, &t.Written, &t.Duplicate, &t.Conflict,
		&t.Rejected, &t.Removed, &t.Candidates, &newest, &lastCommit, &t.RejectedByReason, &held)
	if err != nil {
		return Totals{}, explain("sum up the load ledger", err)
	}
	t.Labels = trainingset.Balance{}
	for i, l := range labels {
		if held[i] != 0 {
			t.Labels.Add(l.link, l.algorithm, held[i])
		}
	}
	t.Newest, t.LastCommit = orZero(newest), orZero(lastCommit)
	return t, nil
}

// Since is what happened between two readings: t minus earlier. The times stay
// those of t.
func (t Totals) Since(earlier Totals) Totals {
	t.Batches -= earlier.Batches
	t.Received -= earlier.Received
	t.Written -= earlier.Written
	t.Duplicate -= earlier.Duplicate
	t.Conflict -= earlier.Conflict
	t.Rejected -= earlier.Rejected
	t.Removed -= earlier.Removed
	t.Candidates -= earlier.Candidates
	t.RejectedByReason = difference(t.RejectedByReason, earlier.RejectedByReason)
	t.Labels = t.Labels.Minus(earlier.Labels)
	return t
}

// Accounted reports that every decision received is written, a duplicate or
// rejected.
func (t Totals) Accounted() bool { return t.Received == t.Written+t.Duplicate+t.Rejected }

// InTable is how many rows the table holds, without a look at it.
func (t Totals) InTable() int64 { return t.Written - t.Removed }

// difference leaves out what did not change.
func difference(now, earlier map[string]int64) map[string]int64 {
	changed := map[string]int64{}
	for key, n := range now {
		if n != earlier[key] {
			changed[key] = n - earlier[key]
		}
	}
	for key, n := range earlier {
		if _, still := now[key]; !still && n != 0 {
			changed[key] = -n
		}
	}
	return changed
}

func orZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}

// explain says what was being done and, where the schema is missing, what
// makes it.
func explain(doing string, err error) error {
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) && (pgErr.Code == "42P01" || pgErr.Code == "42703") { // undefined_table, undefined_column
		return fmt.Errorf("%s: %w (%w)", doing, ErrNotMigrated, err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}
