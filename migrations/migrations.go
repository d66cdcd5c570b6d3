// Package migrations holds the database schema as numbered SQL, embedded, and
// applies it with goose.
//
// Up may be run by any number of processes at once and any number of times; a
// session-level advisory lock lets one of them work and the others wait. It
// needs a login that may create roles and objects in the schema public, and
// never drops anything that holds data. Down goes back, and never below the tables
// of the decisions.
package migrations

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed *.sql
var files embed.FS

// Migration is one numbered file and whether it is applied.
type Migration struct {
	Version int64
	Name    string
	Applied bool
}

// Embedded returns the migrations of this version in order. Applied says nothing
// there: no database was asked.
func Embedded() ([]Migration, error) {
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return nil, err
	}
	all := make([]Migration, 0, len(names))
	for _, name := range names {
		version, err := goose.NumericComponent(name)
		if err != nil {
			return nil, fmt.Errorf("read the number of migration %s: %w", name, err)
		}
		all = append(all, Migration{Version: version, Name: name})
	}
	return all, nil
}

// Up applies every migration that is not applied yet and returns those it
// applied. After an error the ones returned stay applied.
func Up(ctx context.Context, url string) ([]Migration, error) {
	return move(url, "apply", true, func(p *goose.Provider) ([]*goose.MigrationResult, error) { return p.Up(ctx) })
}

// move runs goose in one direction and returns the migrations that it did,
// those before a failure among them; applied is what they are then.
func move(url, verb string, applied bool, run func(*goose.Provider) ([]*goose.MigrationResult, error)) (moved []Migration, err error) {
	err = withProvider(url, func(p *goose.Provider) error {
		results, err := run(p)
		var partial *goose.PartialError
		if errors.As(err, &partial) {
			results = partial.Applied
			err = fmt.Errorf("%s migration %s: %w", verb, partial.Failed.Source.Path, partial.Err)
		}
		for _, r := range results {
			moved = append(moved, Migration{r.Source.Version, r.Source.Path, applied})
		}
		return err
	})
	return moved, err
}

// Status returns every migration in order and whether it is applied.
func Status(ctx context.Context, url string) ([]Migration, error) {
	var all []Migration
	err := withProvider(url, func(p *goose.Provider) error {
		status, err := p.Status(ctx)
		for _, s := range status {
			all = append(all, Migration{s.Source.Version, s.Source.Path, s.State == goose.StateApplied})
		}
		return err
	})
	return all, err
}

func withProvider(url string, use func(*goose.Provider) error) error {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		// pgx repeats the URL in its error, and the URL may hold a password.
		return errors.New("the database URL is not one that PostgreSQL understands (postgres://user@host:port/database)")
	}
	// The exporter looks in the schema public. A login with a schema of its own
	// name would make the tables there.
	config.RuntimeParams["search_path"] = "public"
	db := stdlib.OpenDB(*config)
	defer db.Close()
	provider, err := newProvider(db)
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	return use(provider)
}

func newProvider(db *sql.DB) (*goose.Provider, error) {
	// A try each second for a minute: goose's default gives up after 15 s, less
	// than a migration of a large table may take in another process.
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 60))
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectPostgres, db, files, goose.WithSessionLocker(locker))
}
