package localpg

import (
	"bytes"
	"context"
	"fmt"
	"os"
)

// Standby makes a copy of the server with pg_basebackup, in a temporary folder,
// and starts it as a standby that follows by streaming and can be read: for
// tests of what reads from a replica. The error wraps [ErrUnavailable] where
// pg_basebackup is not beside the server's programs, as in the download.
func (s *Server) Standby(ctx context.Context) (*Server, error) {
	if _, err := os.Stat(s.binaries.path("pg_basebackup")); err != nil {
		return nil, fmt.Errorf("make a standby: %w: %w", ErrUnavailable, err)
	}
	cfg := s.config
	cfg.Dir, cfg.KeepRunning, cfg.Port = "", false, 0
	p, err := newPlace(cfg, s.binaries.major, s.account)
	if err != nil {
		return nil, err
	}
	standby := &Server{config: cfg, account: s.account, binaries: s.binaries, place: p, log: s.log}
	if err := standby.follow(ctx, s); err != nil {
		p.remove()
		return nil, fmt.Errorf("make a standby: %w", err)
	}
	return standby, nil
}

func (s *Server) follow(ctx context.Context, primary *Server) error {
	var output bytes.Buffer
	// Without a checkpoint at once the copy would wait for the next one, minutes.
	cmd := s.account.command(ctx, s.binaries.path("pg_basebackup"), "--pgdata="+s.place.data(), "--write-recovery-conf",
		"--checkpoint=fast", "--no-sync", "--dbname="+primary.AdminURL("postgres"))
	cmd.Stdout, cmd.Stderr = &output, &output
	backup, err := startProcess(cmd, false)
	if err == nil {
		<-backup.done
		err = backup.err
	}
	if err != nil {
		return fmt.Errorf("run pg_basebackup: %w\n%s", err, lastLines(output.Bytes()))
	}
	return s.launch(ctx)
}
