package forget

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/novacron/dwcp-telemetry/internal/partitions"
	"github.com/novacron/dwcp-telemetry/internal/pseudonym"
)

// QueueAge is how long, after the retention of the table, a tombstone still
// stands: for clocks that run ahead, and a retention that was longer once. What
// is older than the retention does not come in anyway, however long a queue held
// it.
const QueueAge = 30 * 24 * time.Hour

// Options say who is to be forgotten, and where to look for copies.
type Options struct {
	VMID      string          // as DWCP knows it
	Keys      []pseudonym.Key // all that live
	Retention time.Duration   // of the table
	DryRun    bool            // only count
	Exports   []string        // folders with exports below them

	batchRows  int           // deleted in one transaction
	waitLimit  time.Duration // for those who write
	afterBatch func()
}

// Report is what was erased; in a dry run, what would be.
type Report struct {
	DryRun  bool      `json:"dry_run"`
	Until   time.Time `json:"until"` // of the tombstone
	Names   []OfKey   `json:"names"`
	Exports []Copy    `json:"exports"`
	// Elsewhere are tables that look like partitions but are none, which nobody
	// looked into.
	Elsewhere []string `json:"elsewhere,omitempty"`
}

// OfKey is what there was of the VM under one key.
type OfKey struct {
	KeyID     string    `json:"key_id"`
	Tombstone string    `json:"tombstone"` // the pseudonym; of a raw id its SHA-256
	Rows      int64     `json:"rows"`
	Rejected  int64     `json:"rejected"`
	Oldest    time.Time `json:"oldest,omitzero"`
	Newest    time.Time `json:"newest,omitzero"`
}

// Rows are those of the table and the rejected ones under all keys.
func (r *Report) Rows() (rows, rejected int64) {
	for _, n := range r.Names {
		rows, rejected = rows+n.Rows, rejected+n.Rejected
	}
	return rows, rejected
}

// ErrNotMaintainer is the error for a login that may not do it.
var ErrNotMaintainer = errors.New("the login may not act as dwcp_owner: it takes one with the role dwcp_maintainer")

// forgetting is one run.
type forgetting struct {
	Options
	conn   *pgx.Conn
	names  []name
	report *Report
}

// Run erases a VM. After an error the report says what is done, and running it
// again does the rest.
func Run(ctx context.Context, conn *pgx.Conn, o Options) (*Report, error) {
	f := &forgetting{Options: o, conn: conn, report: &Report{DryRun: o.DryRun, Exports: []Copy{}}}
	if f.batchRows == 0 {
		f.batchRows = 5000
	}
	if f.waitLimit == 0 {
		f.waitLimit = 5 * time.Minute
	}
	var err error
	if f.names, err = names(o.VMID, o.Keys); err != nil {
		return f.report, err
	}
	if !o.DryRun {
		if err := f.bury(ctx); err != nil {
			return f.report, err
		}
		if err := f.waitForWriters(ctx); err != nil {
			return f.report, err
		}
	}
	if err := f.survey(ctx); err != nil {
		return f.report, err
	}
	if !o.DryRun {
		if err := f.erase(ctx); err != nil {
			return f.report, err
		}
	}
	f.report.Exports, err = f.findExports()
	return f.report, err
}

// asOwner runs work in a transaction of the owner's. As the owner nothing may be
// called that others made, hence the search_path.
func (f *forgetting) asOwner(ctx context.Context, work func(pgx.Tx) error) error {
	return pgx.BeginTxFunc(ctx, f.conn, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "SET LOCAL ROLE dwcp_owner; SET LOCAL search_path = pg_catalog, pg_temp; SET LOCAL jit = off")
		var pg *pgconn.PgError
		if errors.As(err, &pg) && (pg.Code == "42501" || pg.Code == "22023") { // 22023: there is no such role
			return fmt.Errorf("%w (%w)", ErrNotMaintainer, err)
		}
		if err != nil {
			return err
		}
		return work(tx)
	})
}

// explain says what was being done and, where the schema is missing, what makes
// it.
func explain(doing string, err error) error {
	var pg *pgconn.PgError
	if errors.As(err, &pg) && (pg.Code == "42P01" || pg.Code == "42703") { // undefined table, column
		return fmt.Errorf("%s: %w (%w)", doing, partitions.ErrNotMigrated, err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}
