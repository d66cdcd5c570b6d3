// Package database gives the command its PostgreSQL: the one that
// DWCP_DATABASE_URL names, else a private one below .dwcp/.
package database

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/jackc/pgx/v5"

	"github.com/novacron/dwcp-telemetry/internal/localpg"
)

const (
	// EnvURL names the user's own database.
	EnvURL = "DWCP_DATABASE_URL"

	privateName    = "dwcp"
	collectorLogin = "dwcp_collector"
)

// Database is a PostgreSQL to work with.
type Database struct {
	// URL may migrate, read and write.
	URL string
	// Server is the private server; nil where the user's own is used.
	Server *localpg.Server
}

// Options say which PostgreSQL to open.
type Options struct {
	Source      localpg.Source
	Dir         string    // where the private server's data lies: a folder below .dwcp
	Log         io.Writer // lines about steps that take a while; may be nil
	KeepRunning bool      // the private server outlives this process
}

// Open returns the user's own database, without connecting to it, or starts the
// private one.
func Open(ctx context.Context, o Options) (*Database, error) {
	if url := os.Getenv(EnvURL); url != "" {
		if _, err := pgx.ParseConfig(url); err != nil {
			// pgx repeats the URL in its error, and the URL may hold a password.
			return nil, fmt.Errorf("%s: is not a URL that PostgreSQL understands (postgres://user@host:port/database)", EnvURL)
		}
		return &Database{URL: url}, nil
	}
	server, err := localpg.Start(ctx, localpg.Config{
		Source: o.Source, Dir: filepath.Join(o.Dir, "postgres"), Log: o.Log, KeepRunning: o.KeepRunning,
	})
	if err != nil {
		return nil, err
	}
	if err := server.CreateDatabase(ctx, privateName); err != nil {
		_ = server.Stop()
		return nil, err
	}
	return &Database{URL: server.AdminURL(privateName), Server: server}, nil
}

// Name says which PostgreSQL it is, without its secrets.
func (d *Database) Name() string {
	if d.Server == nil {
		config, err := pgx.ParseConfig(d.URL)
		if err != nil {
			return EnvURL
		}
		return fmt.Sprintf("%s on %s (%s)", config.Database, config.Host, EnvURL)
	}
	return "private PostgreSQL " + d.Server.Version()
}

// CollectorURL is what the collector writes with. On the private server that
// is a login with the role dwcp_writer, which must exist; the user's own
// URL is taken as it is.
func (d *Database) CollectorURL(ctx context.Context) (string, error) {
	if d.Server == nil {
		return d.URL, nil
	}
	conn, err := pgx.Connect(ctx, d.URL)
	if err != nil {
		return "", fmt.Errorf("make the collector's login: %w", err)
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, `DO $$ BEGIN
		IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '`+collectorLogin+`') THEN
			CREATE ROLE `+collectorLogin+` LOGIN;
		END IF;
		GRANT dwcp_writer TO `+collectorLogin+`;
	END $$`)
	if err != nil {
		return "", fmt.Errorf("make the collector's login: %w", err)
	}
	return d.Server.URL(privateName, collectorLogin), nil
}

// Close stops the private server, unless it was running before.
func (d *Database) Close() error {
	if d.Server == nil {
		return nil
	}
	return d.Server.Stop()
}
