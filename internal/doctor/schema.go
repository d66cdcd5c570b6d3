package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/novacron/dwcp-telemetry/exporter/pgtelemetry"
	"github.com/novacron/dwcp-telemetry/migrations"
)

const migrateUp = "as the database's owner: dwcp-telemetry migrate up"

// lookAtMigrations asks the table that goose keeps, and does not have goose do
// it: that would make the table.
func (c *connection) lookAtMigrations(ctx context.Context, l *look, tx pgx.Tx) {
	known, err := migrations.Embedded()
	if err != nil {
		l.trouble(err)
		return
	}
	rows, err := tx.Query(ctx, "SELECT DISTINCT ON (version_id) version_id, is_applied FROM public.goose_db_version ORDER BY version_id, id DESC")
	applied := map[int64]bool{}
	if err == nil {
		var version int64
		var is bool
		_, err = pgx.ForEachRow(rows, []any{&version, &is}, func() error {
			if is {
				applied[version] = true
			}
			return nil
		})
	}
	var pg *pgconn.PgError
	switch {
	case errors.As(err, &pg) && pg.Code == "42P01":
		l.wrong(migrateUp, "no migration is applied to this database")
		return
	case errors.As(err, &pg) && pg.Code == "42501":
		l.skip("%s may not read which are applied, as each of our roles may from migration 15 on; --as owner with a URL of theirs tells, and schema.table what matters to a collector", c.config.User)
		return
	case err != nil:
		l.trouble(err)
		return
	}
	compareMigrations(l, known, applied)
}

func compareMigrations(l *look, known []migrations.Migration, applied map[int64]bool) {
	var missing []string
	for _, m := range known {
		if !applied[m.Version] {
			missing = append(missing, m.Name)
		}
		delete(applied, m.Version)
	}
	delete(applied, 0) // goose's own
	if len(missing) > 0 {
		l.wrong(migrateUp, "%d of %d are not applied: %s", len(missing), len(known), strings.Join(missing, ", "))
	}
	if len(applied) > 0 {
		l.warn("use the command of the version that migrated", "%d are applied that this version does not know: it is older than the schema", len(applied))
	}
	if len(l.found) == 0 {
		l.ok("all %d are applied", len(known))
	}
}

func (c *connection) lookAtTable(ctx context.Context, l *look, tx pgx.Tx) {
	differ, err := pgtelemetry.Differences(ctx, tx)
	switch {
	case err != nil:
		l.trouble(err)
	case len(differ) > 0:
		l.wrong(migrateUp, "the table compression_telemetry is not the one this version writes: %s", first(differ, 5))
	default:
		l.ok("compression_telemetry is as decision/fields.go says")
	}
}

// first shortens a list for one line.
func first(all []string, n int) string {
	if len(all) <= n {
		return strings.Join(all, "; ")
	}
	return fmt.Sprintf("%s; and %d more", strings.Join(all[:n], "; "), len(all)-n)
}
