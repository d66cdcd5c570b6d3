package localpg

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/jackc/pgx/v5"
)

// AdminUser is the superuser of every server this package makes.
const AdminUser = "dwcp_admin"

// defaultPort only names the socket file: no server listens on TCP, but for
// tests.
const defaultPort = "5432"

// socketURL is the form that pgx and psql both take. The port is in it because
// PGPORT would otherwise choose another.
func socketURL(sockets, port, database, user string) string {
	// libpq takes + for itself and not for a space.
	host := strings.NewReplacer("%2F", "/", "+", "%20").Replace(url.QueryEscape(sockets))
	return fmt.Sprintf("postgres://%s@/%s?host=%s&port=%s", url.User(user), url.PathEscape(database), host, port)
}

func adminURL(sockets, database string) string {
	return socketURL(sockets, defaultPort, database, AdminUser)
}

// ask connects, makes sure that it is the server of that data folder which
// answers, and returns its version.
func ask(ctx context.Context, url, data string) (version string, err error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return "", err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var theirs string
	if err := conn.QueryRow(ctx, "SELECT current_setting('data_directory')").Scan(&theirs); err != nil {
		return "", err
	}
	if !sameFolder(theirs, data) {
		return "", fmt.Errorf("another server answers, with its data in %s", theirs)
	}
	// "15.13 (Debian 15.13-0+deb12u1)"
	version, _, _ = strings.Cut(conn.PgConn().ParameterStatus("server_version"), " ")
	return version, nil
}
