package main

import (
	"context"
	"io"
	"net"
	"sync"
	"sync/atomic"
)

// wire is a connection between two collectors that counts what goes over it to
// the one that listens, TCP's own bytes apart.
type wire struct {
	listener net.Listener
	to       string
	bytes    atomic.Int64
	open     sync.WaitGroup
}

func newWire(ctx context.Context, to string) (*wire, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	w := &wire{listener: listener, to: to}
	w.open.Go(w.accept)
	return w, nil
}

func (w *wire) address() string { return w.listener.Addr().String() }

// close stops taking connections and waits until those that are open have ended.
func (w *wire) close() error {
	err := w.listener.Close()
	w.open.Wait()
	return err
}

func (w *wire) accept() {
	for {
		from, err := w.listener.Accept()
		if err != nil {
			return // closed
		}
		w.open.Go(func() { w.carry(from) })
	}
}

func (w *wire) carry(from net.Conn) {
	defer from.Close()
	to, err := new(net.Dialer).Dial("tcp", w.to)
	if err != nil {
		return // the sender tries again
	}
	defer to.Close()
	var both sync.WaitGroup
	both.Go(func() {
		_, _ = io.Copy(io.MultiWriter(to, w), from)
		_ = to.(*net.TCPConn).CloseWrite()
	})
	_, _ = io.Copy(from, to)
	_ = from.(*net.TCPConn).CloseRead()
	both.Wait()
}

// Write counts.
func (w *wire) Write(p []byte) (int, error) {
	w.bytes.Add(int64(len(p)))
	return len(p), nil
}
