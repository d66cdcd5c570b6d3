package localpg

import (
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// sharedMemoryWait is how long backends of a killed postmaster may take to
// notice; until then a new one refuses to start.
const sharedMemoryWait = 10 * time.Second

// launch runs postgres and returns when it answers.
func (s *Server) launch(ctx context.Context) error {
	if err := makePrivate(s.place.sockets, s.account); err != nil {
		return fmt.Errorf("prepare the socket folder: %w", err)
	}
	giveUp := time.Now().Add(sharedMemoryWait)
	for {
		err := s.tryLaunch(ctx)
		if err == nil {
			return nil
		}
		if time.Now().After(giveUp) || !strings.Contains(err.Error(), "pre-existing shared memory block") {
			_ = os.RemoveAll(s.place.sockets)
			return err
		}
		time.Sleep(poll)
	}
}

func (s *Server) tryLaunch(ctx context.Context) error {
	log, err := openLog(s.place.log())
	if err != nil {
		return err
	}
	defer log.Close()
	from, err := log.Seek(0, 2)
	if err != nil {
		return fmt.Errorf("open the server's log: %w", err)
	}
	args := []string{"-D", s.place.data()}
	for _, setting := range s.config.settings(s.place.sockets) {
		args = append(args, "-c", setting)
	}
	// ctx bounds the start, not the server's life.
	cmd := s.account.command(context.WithoutCancel(ctx), s.binaries.path("postgres"), args...)
	cmd.Env = append(cmd.Env, s.config.Env...)
	cmd.Stdout, cmd.Stderr = log, log
	p, err := startProcess(cmd, s.config.KeepRunning)
	if err != nil {
		return err
	}
	if s.version, err = s.waitReady(ctx, p); err != nil {
		if !p.endsWithin(fastLimit, syscall.SIGINT) {
			p.endsWithin(killLimit, syscall.SIGKILL)
		}
		return fmt.Errorf("%w; the end of %s:\n%s", err, s.place.log(), tail(s.place.log(), from))
	}
	s.process = p
	s.log.say("PostgreSQL %s runs as %s (process %d), socket in %s", s.version, s.account.name, p.Pid, s.place.sockets)
	return nil
}

func (s *Server) waitReady(ctx context.Context, p *process) (version string, err error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		version, err := ask(ctx, s.AdminURL("postgres"), s.place.data())
		if err == nil {
			return version, nil
		}
		select {
		case <-p.done:
			return "", fmt.Errorf("postgres ended: %w", p.err)
		case <-ctx.Done():
			return "", fmt.Errorf("wait until it answers: %w (%w)", ctx.Err(), err)
		case <-time.After(poll):
		}
	}
}

// openLog opens for appending. The folder is the server's, so root does not
// follow a link that lies there.
func openLog(path string) (*os.File, error) {
	log, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the server's log: %w", err)
	}
	return log, nil
}

const tailLines = 20

// tail is the last lines of what was written after from.
func tail(path string, from int64) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	return lastLines(text[min(from, int64(len(text))):])
}

func lastLines(text []byte) string {
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-tailLines):], "\n")
}
