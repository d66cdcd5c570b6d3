package dwcp

import (
	"net"
	"os"
	"sync"
	"time"
)

// pieceBytes is the size in which bytes queue for a link: small beside a window,
// large beside the cost of a timer.
const pieceBytes = 16 << 10

// linkConn is the sender's end of a TCP connection over a [Link]. As with a real
// socket, Write returns when the bytes are under way, not when they have
// arrived, and blocks while a whole window is.
type linkConn struct {
	net.Conn
	link *Link
	out  chan piece // to the wire, in order
	in   chan piece // from the wire, in order

	writing sync.Mutex
	flying  []flight // oldest first
	inAir   int      // their bytes

	reading sync.Mutex
	rest    []byte // of the piece that was read last

	closed chan struct{}
	once   sync.Once
	err    error // why it was closed; set before closed is
}

// piece is bytes that are due at the other end at a time.
type piece struct {
	bytes []byte
	due   time.Time
}

// flight is what holds part of the window until its acknowledgement is back.
type flight struct {
	bytes int
	freed time.Time
}

// overLink makes conn, which must be the sender's end, one that takes the
// link's time.
func overLink(conn net.Conn, link *Link) *linkConn {
	pieces := link.spec.WindowBytes/pieceBytes + 1
	c := &linkConn{
		Conn: conn, link: link,
		out: make(chan piece, pieces), in: make(chan piece, pieces),
		closed: make(chan struct{}),
	}
	go c.deliver()
	go c.receive()
	return c
}

func (c *linkConn) Write(p []byte) (int, error) {
	c.writing.Lock()
	defer c.writing.Unlock()
	written := 0
	for len(p) > 0 {
		n := min(len(p), pieceBytes)
		if !c.waitForWindow(n) {
			return written, c.err
		}
		arrives := c.link.reserve(n, time.Now()).Add(c.link.spec.RTT / 2)
		select {
		case c.out <- piece{bytes: append(buffers.Get().([]byte)[:0], p[:n]...), due: arrives}:
		case <-c.closed:
			return written, c.err
		}
		c.flying = append(c.flying, flight{bytes: n, freed: arrives.Add(c.link.spec.RTT / 2)})
		c.inAir += n
		written, p = written+n, p[n:]
	}
	return written, nil
}

// buffers are those of pieces on their way out.
var buffers = sync.Pool{New: func() any { return make([]byte, 0, pieceBytes) }}

// waitForRoom waits until that many bytes can be written without waiting.
func (c *linkConn) waitForRoom(bytes int) {
	c.writing.Lock()
	defer c.writing.Unlock()
	c.waitForWindow(min(bytes, c.link.spec.WindowBytes))
}

// waitForWindow waits until that many bytes more may be under way.
func (c *linkConn) waitForWindow(bytes int) bool {
	for {
		now := time.Now()
		for len(c.flying) > 0 && !c.flying[0].freed.After(now) {
			c.inAir -= c.flying[0].bytes
			c.flying = c.flying[1:]
		}
		if c.inAir+bytes <= c.link.spec.WindowBytes {
			return true
		}
		if !c.sleep(c.flying[0].freed.Sub(now)) {
			return false
		}
	}
}

// deliver hands each piece to the wire when it is due.
func (c *linkConn) deliver() {
	for {
		select {
		case p := <-c.out:
			if !c.sleep(time.Until(p.due)) {
				return
			}
			_, err := c.Conn.Write(p.bytes)
			buffers.Put(p.bytes) //nolint:staticcheck // a slice's header is small beside its 16 KiB
			if err != nil {
				c.fail(err)
				return
			}
		case <-c.closed:
			return
		}
	}
}

// receive takes what the wire brings and holds it back for half a round trip.
func (c *linkConn) receive() {
	for {
		bytes := make([]byte, 1024) // acknowledgements
		n, err := c.Conn.Read(bytes)
		if n > 0 {
			select {
			case c.in <- piece{bytes: bytes[:n], due: time.Now().Add(c.link.spec.RTT / 2)}:
			case <-c.closed:
				return
			}
		}
		if err != nil {
			c.fail(err)
			return
		}
	}
}

func (c *linkConn) Read(p []byte) (int, error) {
	c.reading.Lock()
	defer c.reading.Unlock()
	if len(c.rest) == 0 {
		select {
		case next := <-c.in:
			if !c.sleep(time.Until(next.due)) {
				return 0, c.err
			}
			c.rest = next.bytes
		case <-c.closed:
			return 0, c.err
		}
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

// sleep waits, and returns false where the connection was closed meanwhile.
func (c *linkConn) sleep(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-c.closed:
		return false
	}
}

func (c *linkConn) fail(err error) {
	c.once.Do(func() {
		c.err = err
		close(c.closed)
		_ = c.Conn.Close()
	})
}

// Close drops what is still under way.
func (c *linkConn) Close() error {
	c.fail(os.ErrClosed)
	return nil
}
