package pgtest

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Login makes a user who may log in and is a member of role, and returns its URL
// for the database of adminURL. Roles belong to the whole server, so the name is
// the test's own; the user is dropped when the test ends.
func Login(t testing.TB, adminURL, role string) string {
	t.Helper()
	address, err := url.Parse(adminURL)
	if err != nil {
		t.Fatalf("make a login: read the admin URL: %v", err)
	}
	name := fmt.Sprintf("login_%d", serial.Add(1))
	if err := exec(adminURL, "CREATE ROLE "+name+" LOGIN IN ROLE "+pgx.Identifier{role}.Sanitize()); err != nil {
		t.Fatalf("make a login: %v", err)
	}
	t.Cleanup(func() {
		if err := exec(adminURL, dropLogin(name)...); err != nil {
			t.Errorf("drop the test's login: %v", err)
		}
	})
	address.User = url.User(name)
	return address.String()
}

// dropLogin ends the user's sessions and drops what it owns first: PostgreSQL
// drops no role that still has either. The session that a statement ended takes
// a moment to go, hence the waiting form.
func dropLogin(name string) []string {
	const statements = `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = '$'
DROP OWNED BY $ CASCADE
DROP ROLE $`
	return strings.Split(strings.ReplaceAll(statements, "$", name), "\n")
}
