package localpg

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Server is a PostgreSQL that answers. Its methods may be called from any
// goroutine.
type Server struct {
	config   Config
	account  account
	binaries binaries
	place    *place
	log      progress

	mu         sync.Mutex
	version    string
	process    *process // nil when adopted
	adoptedPID int
	stopped    bool
}

// URL is the address of a database for one of its users.
func (s *Server) URL(database, user string) string {
	return socketURL(s.place.sockets, s.config.port(), database, user)
}

// AdminURL is the address of a database for [AdminUser].
func (s *Server) AdminURL(database string) string { return s.URL(database, AdminUser) }

// Version is the server's, as "17.5".
func (s *Server) Version() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.version
}

// SocketDir is the folder of the server's socket, the -h of psql.
func (s *Server) SocketDir() string { return s.place.sockets }

// DataDir is the server's data folder.
func (s *Server) DataDir() string { return s.place.data() }

// Log is the path of the server's log file.
func (s *Server) Log() string { return s.place.log() }

// PID is the process id of the postmaster.
func (s *Server) PID() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		return s.adoptedPID
	}
	return s.process.Pid
}

// Adopted reports whether the server was there already, so that Stop leaves it.
func (s *Server) Adopted() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.process == nil
}

const duplicateDatabase = "42P04"

// CreateDatabase makes a database if it is missing.
func (s *Server) CreateDatabase(ctx context.Context, name string) error {
	conn, err := pgx.Connect(ctx, s.AdminURL("postgres"))
	if err != nil {
		return fmt.Errorf("create database %s: %w", name, err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var exists bool
	const query = "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)"
	if err = conn.QueryRow(ctx, query, name).Scan(&exists); err == nil && !exists {
		_, err = conn.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize())
	}
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code == duplicateDatabase {
		return nil // somebody else made it just now
	}
	if err != nil {
		return fmt.Errorf("create database %s: %w", name, err)
	}
	return nil
}

// Signal sends a signal to the postmaster: SIGKILL, SIGSTOP and SIGCONT are what
// tests of faults need.
func (s *Server) Signal(signal syscall.Signal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	if s.process == nil {
		err = syscall.Kill(s.adoptedPID, signal)
	} else {
		err = s.process.Signal(signal)
	}
	if err != nil {
		return fmt.Errorf("send %s to PostgreSQL: %w", signal, err)
	}
	return nil
}
