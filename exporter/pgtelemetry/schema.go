package pgtelemetry

import (
	"context"
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/internal/partitions"
)

//go:embed sql/table_columns.sql
var tableColumns string

// schemaError says in which respects the table is not the one this version
// writes.
type schemaError struct{ differences []string }

func (e *schemaError) Error() string {
	return fmt.Sprintf("the table %s is not the one this version writes: %s", table, strings.Join(e.differences, "; "))
}

// column is a column as the table has it.
type column struct {
	name, sqlType string
	notNull       bool
	hasDefault    bool // or is an identity or generated
}

// checkSchema compares the table with the list of fields.
func (w *writer) checkSchema(ctx context.Context) error {
	all, err := Differences(ctx, w.pool)
	if err != nil {
		return err
	}
	if len(all) > 0 {
		return &schemaError{all}
	}
	return nil
}

// Differences compares the table with the list of fields and names what stands
// in the way of writing. Further columns are accepted where a row can be written
// without them.
func Differences(ctx context.Context, q partitions.Querier) ([]string, error) {
	rows, err := q.Query(ctx, tableColumns)
	if err != nil {
		return nil, fmt.Errorf("read the columns of %s: %w", table, err)
	}
	found, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (c column, err error) {
		err = r.Scan(&c.name, &c.sqlType, &c.notNull, &c.hasDefault)
		return c, err
	})
	if err != nil {
		return nil, fmt.Errorf("read the columns of %s: %w", table, err)
	}
	all := differences(found)
	var encoding string
	if err := q.QueryRow(ctx, "SELECT current_setting('server_encoding')").Scan(&encoding); err != nil {
		return nil, fmt.Errorf("ask for the database's encoding: %w", err)
	}
	if encoding != "UTF8" {
		all = append(all, "the database's encoding is "+encoding+", must be UTF8: another one cannot hold every text")
	}
	return all, nil
}

// differences names what stands in the way of writing, in the order of the
// list, then of the table.
func differences(found []column) (all []string) {
	if len(found) == 0 {
		return []string{"it does not exist"}
	}
	fields := decision.Fields()
	for i := range fields {
		f := &fields[i]
		at := slices.IndexFunc(found, func(c column) bool { return c.name == f.Column })
		switch {
		case at < 0:
			all = append(all, fmt.Sprintf("column %s %s is missing", f.Column, f.SQLType))
		case found[at].sqlType != f.SQLType:
			all = append(all, fmt.Sprintf("column %s is %s, must be %s", f.Column, found[at].sqlType, f.SQLType))
		case found[at].notNull && !f.Required:
			all = append(all, fmt.Sprintf("column %s is NOT NULL, must accept NULL", f.Column))
		}
	}
	for _, c := range found {
		if decision.Column(c.name) == nil && c.notNull && !c.hasDefault {
			all = append(all, fmt.Sprintf("column %s is unknown to this version, NOT NULL and without a default", c.name))
		}
	}
	return all
}
