package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/novacron/dwcp-telemetry/internal/localpg"
	"github.com/novacron/dwcp-telemetry/migrations"
)

const (
	databaseName = "bench"
	writerLogin  = "bench_writer"
	tableName    = "public.compression_telemetry"
)

// server is the PostgreSQL that is written to, with what protects its data
// switched on.
type server struct {
	*localpg.Server
	admin *pgxpool.Pool
}

func startServer(ctx context.Context) (*server, error) {
	from, err := localpg.SourceFromEnv()
	if err != nil {
		return nil, err
	}
	pg, err := localpg.Start(ctx, localpg.Config{Source: from, Log: os.Stderr})
	if err != nil {
		return nil, err
	}
	s := &server{Server: pg}
	if err := s.prepare(ctx); err != nil {
		return nil, errors.Join(err, pg.Stop())
	}
	return s, nil
}

func (s *server) prepare(ctx context.Context) error {
	if err := s.CreateDatabase(ctx, databaseName); err != nil {
		return err
	}
	if _, err := migrations.Up(ctx, s.AdminURL(databaseName)); err != nil {
		return err
	}
	pool, err := pgxpool.New(ctx, s.AdminURL(databaseName))
	if err != nil {
		return err
	}
	s.admin = pool
	_, err = pool.Exec(ctx, "CREATE ROLE "+writerLogin+" LOGIN IN ROLE dwcp_writer")
	return err
}

func (s *server) stop() error {
	if s.admin != nil {
		s.admin.Close()
	}
	return s.Stop()
}

// writerURL is what every way writes with.
func (s *server) writerURL() string { return s.URL(databaseName, writerLogin) }

// empty empties the table and writes what is dirty to disk, so that each turn
// begins alike.
func (s *server) empty(ctx context.Context) error {
	for _, statement := range []string{
		"TRUNCATE compression_telemetry, compression_telemetry_batches, compression_telemetry_rejected",
		"SELECT ensure_partition(now())",
		"CHECKPOINT",
	} {
		if _, err := s.admin.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

// count is the number of rows in the table.
func (s *server) count(ctx context.Context) (rows int, err error) {
	err = s.admin.QueryRow(ctx, "SELECT count(*) FROM compression_telemetry").Scan(&rows)
	return rows, err
}

// received is how many decisions the ledger says were committed.
func (s *server) received(ctx context.Context) (decisions int, err error) {
	err = s.admin.QueryRow(ctx, "SELECT coalesce(sum(received), 0) FROM compression_telemetry_batches").Scan(&decisions)
	return decisions, err
}

// runPsql runs a command of psql as the writer.
func (s *server) runPsql(ctx context.Context, command string) error {
	psql, err := findPsql()
	if err != nil {
		return err
	}
	config, err := pgx.ParseConfig(s.writerURL())
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, psql, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", config.Host, "-p", strconv.Itoa(int(config.Port)),
		"-U", writerLogin, "-d", databaseName, "-c", command)
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("psql: %w: %s", err, output)
	}
	return nil
}

// findPsql prefers the program itself to Debian's wrapper, which takes a moment
// to choose it.
func findPsql() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/psql")
	if len(found) > 0 {
		return found[len(found)-1], nil
	}
	path, err := exec.LookPath("psql")
	if err != nil {
		return "", fmt.Errorf("psql is what the others are measured against: install PostgreSQL's client: %w", err)
	}
	return path, nil
}

// partitionByDays leaves the table empty, with as many partitions of a day each
// as asked for, the last one tomorrow's.
func (s *server) partitionByDays(ctx context.Context, partitions int) error {
	for _, statement := range []string{
		`DO $$ DECLARE part regclass; BEGIN
			FOR part IN SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'compression_telemetry'::regclass LOOP
				EXECUTE 'DROP TABLE ' || part;
			END LOOP;
		END $$`,
		fmt.Sprintf("SELECT ensure_partition(now() - (n - 1) * interval '1 day', 'day') FROM generate_series(0, %d) AS n", partitions-1),
	} {
		if _, err := s.admin.Exec(ctx, statement); err != nil {
			return fmt.Errorf("make %d partitions: %w", partitions, err)
		}
	}
	return s.empty(ctx)
}
