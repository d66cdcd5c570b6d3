package localpg

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"
)

// How long each way of ending the server may take: waiting for its clients,
// throwing them out, giving up the checkpoint, and the kernel.
const (
	smartLimit     = 5 * time.Second
	fastLimit      = 30 * time.Second
	immediateLimit = 10 * time.Second
	killLimit      = 5 * time.Second
)

// Stop ends the server and removes its socket folder and, if it was temporary,
// its data. Clients get 5 s to finish, then they are disconnected. A server that
// was adopted is left alone. A second Stop does nothing.
func (s *Server) Stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped || s.process == nil {
		return nil
	}
	if err := s.end(smartLimit); err != nil {
		return err
	}
	s.stopped = true
	s.place.remove()
	return nil
}

// Restart throws out the clients, ends the server, or finds it ended, and starts
// it again on the same data and under the same URLs.
func (s *Server) Restart(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped || s.process == nil {
		return errors.New("restart PostgreSQL: it is not ours, or stopped for good")
	}
	if err := s.end(0); err != nil {
		return err
	}
	lock, err := s.place.lock(ctx)
	if err != nil {
		return err
	}
	defer lock.Release()
	if err := s.launch(ctx); err != nil {
		return fmt.Errorf("restart PostgreSQL: %w", err)
	}
	return nil
}

// end waits patience for clients to leave by themselves.
func (s *Server) end(patience time.Duration) error {
	if s.process.ended() {
		return nil
	}
	_ = s.process.Signal(syscall.SIGCONT) // a test may have stopped it
	if patience > 0 && s.process.endsWithin(patience, syscall.SIGTERM) {
		return nil
	}
	if s.process.endsWithin(fastLimit, syscall.SIGINT) {
		return nil
	}
	s.log.say("PostgreSQL (process %d) does not end; killing it", s.process.Pid)
	if s.process.endsWithin(immediateLimit, syscall.SIGQUIT) || s.process.endsWithin(killLimit, syscall.SIGKILL) {
		return nil
	}
	return fmt.Errorf("stop PostgreSQL: process %d does not end", s.process.Pid)
}
