package pgtest

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/novacron/dwcp-telemetry/migrations"
)

const template = "dwcp_template"

var serial atomic.Int64

// Database is the admin URL of a fresh database with all migrations applied. It
// is a copy of one that was migrated once, and is dropped when the test ends.
func Database(t testing.TB) string {
	t.Helper()
	Server(t)
	if err := makeTemplate(); err != nil {
		t.Fatalf("make the template database: %v", err)
	}
	url := create(t, template)
	if err := exec(url, copyDatabasePrivileges); err != nil {
		t.Fatalf("copy the template's privileges: %v", err)
	}
	return url
}

// CREATE DATABASE copies what is in the template but not the privileges on the
// template itself, some of which the migrations grant.
const copyDatabasePrivileges = `UPDATE pg_database SET datacl =
	(SELECT datacl FROM pg_database WHERE datname = '` + template + `')
	WHERE datname = current_database()`

// Connect is a connection that is closed when the test ends.
func Connect(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatalf("connect to the test's database: %v", err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) }) // the server may be gone: some tests stop it
	return conn
}

// EmptyDatabase is the admin URL of a fresh database with nothing in it.
func EmptyDatabase(t testing.TB) string {
	t.Helper()
	return create(t, "template0")
}

func create(t testing.TB, from string) string {
	t.Helper()
	server := Server(t)
	name := fmt.Sprintf("test_%d", serial.Add(1))
	admin := server.AdminURL("postgres")
	if err := exec(admin, "CREATE DATABASE "+name+" TEMPLATE "+from); err != nil {
		t.Fatalf("make a database for the test: %v", err)
	}
	t.Cleanup(func() {
		if err := exec(admin, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)"); err != nil {
			t.Errorf("drop the test's database: %v", err)
		}
	})
	return server.AdminURL(name)
}

// makeTemplate closes the template to connections once it is migrated:
// PostgreSQL copies no database that somebody, autovacuum say, is connected to.
var makeTemplate = sync.OnceValue(func() error {
	ctx := context.Background()
	if err := shared.server.CreateDatabase(ctx, template); err != nil {
		return err
	}
	if _, err := migrations.Up(ctx, shared.server.AdminURL(template)); err != nil {
		return err
	}
	return exec(shared.server.AdminURL("postgres"), "ALTER DATABASE "+template+" ALLOW_CONNECTIONS false")
})

// exec runs statements one by one on a connection of its own.
func exec(url string, statements ...string) error {
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	for _, statement := range statements {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}
