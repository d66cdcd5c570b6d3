package ingress

import (
	"net"
	"sync"
)

// limiter counts what is open, in all and of each client.
type limiter struct {
	limit Limit

	mu     sync.Mutex
	open   int
	client map[string]int // only who has something open
}

func newLimiter(limit Limit) *limiter {
	return &limiter{limit: limit, client: map[string]int{}}
}

// verdict says whether there is room, and if not, whose limit is reached.
type verdict int

const (
	admitted verdict = iota
	allFull
	clientFull
)

// enter takes a place for a client, which leave gives back.
func (l *limiter) enter(client string) verdict {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.client[client] >= l.limit.Client:
		return clientFull
	case l.open >= l.limit.All:
		return allFull
	}
	l.open++
	l.client[client]++
	return admitted
}

func (l *limiter) leave(client string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open--
	if l.client[client]--; l.client[client] == 0 {
		delete(l.client, client)
	}
}

// clientOf is the IP address of a remote one: the port is another for each
// connection.
func clientOf(remote string) string {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		return remote // a Unix socket's
	}
	return host
}
