package localpg

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"
)

// startTimeout bounds coming up, recovery after a crash included.
const startTimeout = 60 * time.Second

const poll = 20 * time.Millisecond

// Start returns a server that answers: the one that already runs on the data
// folder, or a new one. ctx bounds the start only. The error wraps
// [ErrUnavailable] when there are no binaries to be had.
func Start(ctx context.Context, cfg Config) (*Server, error) {
	source, err := ParseSource("Config.Source", string(cfg.Source))
	if err != nil {
		return nil, err
	}
	a, err := serverAccount()
	if err != nil {
		return nil, err
	}
	log := progress{cfg.Log}
	b, err := locate(ctx, source, a, log)
	if err != nil {
		return nil, err
	}
	p, err := newPlace(cfg, b.major, a)
	if err != nil {
		return nil, err
	}
	s := &Server{config: cfg, account: a, binaries: b, place: p, log: log}
	if err := s.open(ctx); err != nil {
		if p.temporary != "" {
			p.remove()
		}
		return nil, fmt.Errorf("start PostgreSQL %s: %w", b.version, err)
	}
	return s, nil
}

func (s *Server) open(ctx context.Context) error {
	lock, err := s.place.lock(ctx)
	if err != nil {
		return err
	}
	defer lock.Release()
	adopted, err := s.adopt(ctx)
	if err != nil || adopted {
		return err
	}
	unsynced := s.config.FastUnsafe || s.place.temporary != ""
	if err := initData(ctx, s.binaries, s.place, s.account, unsynced, s.log); err != nil {
		return err
	}
	return s.launch(ctx)
}

// adopt takes over a server that runs on the data folder. One that is starting
// or ending, say because its owner was killed a moment ago, is waited for.
func (s *Server) adopt(ctx context.Context) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	data := s.place.data()
	for {
		running, err := readPIDFile(data)
		if errors.Is(err, fs.ErrNotExist) || (err == nil && !running.alive(data)) {
			return false, nil
		}
		if err == nil {
			s.version, err = ask(ctx, adminURL(running.sockets, "postgres"), data)
		}
		if err == nil {
			s.adoptedPID, s.place.sockets = running.pid, running.sockets
			s.log.say("using PostgreSQL %s that already runs on %s (process %d)", s.version, data, running.pid)
			return true, nil
		}
		select {
		case <-ctx.Done():
			return false, fmt.Errorf("wait for the server that holds %s (process %d): %w", data, running.pid, err)
		case <-time.After(poll):
		}
	}
}
