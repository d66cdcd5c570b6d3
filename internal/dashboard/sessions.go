package dashboard

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"sync"
	"time"
)

// sessions are the logins that are good now, and nowhere but in this process: a
// restart, which a new token takes, ends all of them.
type sessions struct {
	mu  sync.Mutex
	all map[digest]session
}

// digest is that of a session's id, so that looking one up tells nothing of the ids
// there are, in no time that could be measured.
type digest [sha256.Size]byte

// session is done when it has run out or its owner has logged out.
type session struct {
	context.Context
	end context.CancelFunc
}

func newSessions() *sessions { return &sessions{all: map[digest]session{}} }

// begin returns the id of a new one, which cannot be guessed.
func (s *sessions) begin(length time.Duration) (id string) {
	id = rand.Text()
	ctx, end := context.WithTimeout(context.Background(), length)
	key := digest(sha256.Sum256([]byte(id)))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all[key] = session{ctx, end}
	context.AfterFunc(ctx, func() { s.forget(key) })
	return id
}

func (s *sessions) forget(key digest) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.all, key)
}

// find returns the one with that id, unless it is done.
func (s *sessions) find(id string) (session, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.all[sha256.Sum256([]byte(id))]
	return found, ok && found.Err() == nil
}
