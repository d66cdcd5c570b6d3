// Package filelock locks between processes by a file. A lock ends with the
// process that holds it, so there are no stale ones; its file stays.
package filelock

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

const poll = 50 * time.Millisecond

// Lock is a lock that is held.
type Lock struct{ file *os.File }

// Take waits for the lock until ctx ends. flock(2) cannot be interrupted,
// hence the polling.
func Take(ctx context.Context, path string) (*Lock, error) {
	for {
		lock, err := Try(path)
		if err != nil || lock != nil {
			return lock, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for the lock %s: %w", path, ctx.Err())
		case <-time.After(poll):
		}
	}
}

// Try returns nil, nil while another process holds the lock.
func Try(path string) (*Lock, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open lock: %w", err)
	}
	err = unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if err == nil {
		return &Lock{file}, nil
	}
	_ = file.Close()
	if errors.Is(err, unix.EWOULDBLOCK) {
		return nil, nil
	}
	return nil, fmt.Errorf("lock %s: %w", path, err)
}

// Release ends the lock; that of a nil Lock does nothing.
func (l *Lock) Release() {
	if l != nil {
		_ = l.file.Close()
	}
}
