package dwcp

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/cespare/xxhash/v2"
)

// receiver is the other end of the streams: it puts transfers together and
// acknowledges one once all of it is there, whole, and its sink has taken it.
type receiver struct {
	listener net.Listener
	sink     func(t arrived) verdict
	ackDelay time.Duration // for tests: how long the acknowledgement is held back

	mu        sync.Mutex
	transfers map[uint64]*incoming
	conns     map[net.Conn]bool
	closed    bool
	serving   sync.WaitGroup
}

// arrived is a whole transfer. The body is the sink's to keep.
type arrived struct {
	vm    string
	flags flags
	body  []byte
}

// incoming is a transfer of which parts have come.
type incoming struct {
	body    []byte
	missing int
	conns   map[net.Conn]bool // those that have carried any of it
}

// maxIncoming bounds the transfers under way at a receiver.
const maxIncoming = 64

// listen starts a receiver on a free port of the loopback interface.
func listen(sink func(arrived) verdict) (*receiver, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start a receiver: %w", err)
	}
	r := &receiver{listener: listener, sink: sink, transfers: map[uint64]*incoming{}, conns: map[net.Conn]bool{}}
	r.serving.Go(r.accept)
	return r, nil
}

func (r *receiver) address() string { return r.listener.Addr().String() }

func (r *receiver) accept() {
	for {
		conn, err := r.listener.Accept()
		if err != nil {
			return // closed
		}
		r.mu.Lock()
		if r.closed {
			r.mu.Unlock()
			_ = conn.Close()
			return
		}
		r.conns[conn] = true
		r.serving.Go(func() { r.serve(conn) })
		r.mu.Unlock()
	}
}

// serve reads one stream until it ends, or says what makes no sense.
func (r *receiver) serve(conn net.Conn) {
	defer r.forget(conn)
	reader := bufio.NewReaderSize(conn, chunkBytes+chunkHeaderBytes+maxVMIDBytes)
	for {
		c, err := readChunk(reader)
		if err != nil {
			return
		}
		v, err := r.take(conn, reader, &c)
		if err != nil {
			return
		}
		if v == 0 {
			continue // more is to come
		}
		if r.ackDelay > 0 {
			time.Sleep(r.ackDelay)
		}
		if _, err := conn.Write(appendAck(nil, c.transfer, v)); err != nil {
			return
		}
	}
}

// take reads the body of a chunk. The verdict is 0 while parts are missing.
func (r *receiver) take(conn net.Conn, reader io.Reader, c *chunk) (verdict, error) {
	if c.flags&flagPing != 0 {
		return accepted, nil
	}
	if c.total == 0 || c.total > MaxTransferBytes {
		_, err := io.CopyN(io.Discard, reader, int64(c.length))
		return tooMuch, err
	}
	t, err := r.transfer(conn, c)
	if err != nil {
		return 0, err
	}
	// Chunks do not overlap, so streams write into the body side by side.
	if _, err := io.ReadFull(reader, t.body[c.offset:c.offset+c.length]); err != nil {
		return 0, err
	}
	r.mu.Lock()
	t.missing -= int(c.length)
	missing := t.missing
	if missing <= 0 {
		delete(r.transfers, c.transfer)
	}
	r.mu.Unlock()
	if missing > 0 {
		return 0, nil
	}
	if missing < 0 || xxhash.Sum64(t.body) != c.hash {
		return wrongHash, nil
	}
	return r.sink(arrived{vm: c.vm, flags: c.flags, body: t.body}), nil
}

var (
	errTooMany  = errors.New("too many transfers under way")
	errMismatch = errors.New("two transfers under one number")
)

// transfer finds or begins the transfer that a chunk belongs to.
func (r *receiver) transfer(conn net.Conn, c *chunk) (*incoming, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.transfers[c.transfer]
	if t == nil {
		if len(r.transfers) == maxIncoming {
			return nil, errTooMany
		}
		t = &incoming{body: make([]byte, c.total), missing: int(c.total), conns: map[net.Conn]bool{}}
		r.transfers[c.transfer] = t
	}
	if len(t.body) != int(c.total) {
		return nil, errMismatch
	}
	t.conns[conn] = true
	return t, nil
}

// forget ends a stream, and with it the transfers it has carried part of: what
// is missing of them will not come.
func (r *receiver) forget(conn net.Conn) {
	_ = conn.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.conns, conn)
	for number, t := range r.transfers {
		if t.conns[conn] {
			delete(r.transfers, number)
		}
	}
}

// close ends all streams at once, as the death of the host would.
func (r *receiver) close() {
	_ = r.listener.Close()
	r.mu.Lock()
	r.closed = true
	for conn := range r.conns {
		_ = conn.Close()
	}
	r.mu.Unlock()
	r.serving.Wait()
}
