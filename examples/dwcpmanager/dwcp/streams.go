package dwcp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/novacron/dwcp-telemetry/instrumentation/measure"
)

// Streams is AMST: parallel TCP streams to one receiver. They stay open from
// one transfer to the next. Any number of transfers may go on at once.
type Streams struct {
	link    *Link
	address string

	mu      sync.Mutex
	streams []*stream // nil where one has to be dialled
	closed  bool
}

// transfer is what Streams carry.
type transfer struct {
	vm    string
	flags flags
	body  []byte
}

// NewStreams returns the streams to a receiver, not yet connected.
func NewStreams(link *Link, address string) *Streams {
	return &Streams{link: link, address: address, streams: make([]*stream, link.spec.Streams)}
}

// Count is how many streams there are.
func (s *Streams) Count() int { return len(s.streams) }

// Connect dials the streams that are not there, so that Send need not.
func (s *Streams) Connect(ctx context.Context) error {
	_, err := s.connected(ctx)
	return err
}

func (s *Streams) connected(ctx context.Context) ([]*stream, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, net.ErrClosed
	}
	for i, old := range s.streams {
		if old != nil && !old.broken() {
			continue
		}
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", s.address)
		if err != nil {
			// A dialler that runs into ctx's deadline says "i/o timeout".
			return nil, fmt.Errorf("connect stream %d of %d: %w", i+1, len(s.streams), cmp.Or(ctx.Err(), err))
		}
		s.streams[i] = newStream(overLink(conn, s.link))
	}
	return append([]*stream(nil), s.streams...), nil
}

// Send sends a body and returns once the receiver has acknowledged it: it has
// all of it, and the hash is right. That is the end of a transfer. Writes that
// have returned are not: their bytes may be in a buffer for a long time.
//
// A stream takes the next chunk when it has room for it, so that a slow one holds
// up nobody. One that breaks fails the transfer; so does the end of ctx,
// and either ends all streams, which are dialled anew for the next transfer.
func (s *Streams) Send(ctx context.Context, t transfer) error {
	return s.send(ctx, t, func(works ...func()) {
		var all sync.WaitGroup
		for _, work := range works {
			all.Go(work)
		}
		all.Wait()
	})
}

// SendMeasured is Send with what it took, from the first write to the
// acknowledgement. Each stream has a thread of its own meanwhile, so that what
// other transfers use is not counted.
func (s *Streams) SendMeasured(ctx context.Context, t transfer) (run measure.Run, err error) {
	err = s.send(ctx, t, func(works ...func()) { run = measure.Threads(works...) })
	return run, err
}

// send has together run the streams' writing and the waiting for the
// acknowledgement, and return when all of it is done.
func (s *Streams) send(ctx context.Context, t transfer, together func(works ...func())) error {
	if len(t.vm) > maxVMIDBytes {
		return fmt.Errorf("send to %s: a VM id has at most %d bytes", s.address, maxVMIDBytes)
	}
	streams, err := s.connected(ctx)
	if err != nil {
		return fmt.Errorf("send to %s: %w", s.address, err)
	}
	out := newOutgoing(&t)
	works := make([]func(), 0, len(streams)+1)
	defer func() {
		for _, stream := range streams {
			stream.forget(out)
		}
	}()
	for _, stream := range streams {
		stream.expect(out)
		works = append(works, func() {
			if err := s.write(stream, out); err != nil {
				out.end(err)
			}
		})
	}
	works = append(works, func() {
		if err = out.wait(ctx); err != nil {
			// A write may wait for a window that will not open again.
			for _, stream := range streams {
				stream.fail(err)
			}
		}
	})
	together(works...)
	if v := verdict(out.verdict.Load()); err == nil && v != accepted {
		err = &RefusedError{v}
	}
	if err != nil {
		return fmt.Errorf("send to %s: %w", s.address, err)
	}
	return nil
}

// write writes chunks on one stream until there are none left.
func (s *Streams) write(stream *stream, out *outgoing) error {
	for {
		if out.left() {
			stream.conn.waitForRoom(chunkBytes + chunkHeaderBytes + maxVMIDBytes)
		}
		header, body, more := out.next()
		if !more {
			return nil
		}
		if err := stream.write(header, body); err != nil {
			return err
		}
		s.link.count(len(header) + len(body))
	}
}

// Ping returns the round-trip time of the link. The kernel's own (TCP_INFO, see
// measure) would be that of the loopback interface below the emulated link; on a
// real link it is to be preferred, for it costs nothing.
func (s *Streams) Ping(ctx context.Context) (time.Duration, error) {
	streams, err := s.connected(ctx)
	if err != nil {
		return 0, err
	}
	out := newOutgoing(&transfer{flags: flagPing})
	streams[0].expect(out)
	defer streams[0].forget(out)
	begin := time.Now()
	header, _, _ := out.next()
	if err := streams[0].write(header, nil); err != nil {
		return 0, err
	}
	if err := out.wait(ctx); err != nil {
		return 0, err
	}
	return time.Since(begin), nil
}

// Close closes the streams; transfers under way fail.
func (s *Streams) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for _, stream := range s.streams {
		if stream != nil {
			stream.fail(net.ErrClosed)
			stream.reading.Wait()
		}
	}
}

// outgoing is a transfer under way.
type outgoing struct {
	transfer *transfer
	number   uint64
	hash     uint64
	offset   atomic.Int64
	verdict  atomic.Uint32 // the receiver's answer
	ended    chan error    // nil: the answer is there
}

func newOutgoing(t *transfer) *outgoing {
	return &outgoing{
		transfer: t, number: rand.Uint64(), hash: xxhash.Sum64(t.body),
		ended: make(chan error, 1),
	}
}

// end says that the answer is there, or why it will not come. One end is enough.
func (o *outgoing) end(err error) {
	select {
	case o.ended <- err:
	default:
	}
}

func (o *outgoing) wait(ctx context.Context) error {
	select {
	case err := <-o.ended:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// left reports whether chunks are left to take.
func (o *outgoing) left() bool { return int(o.offset.Load()) < len(o.transfer.body) }

// next returns the next chunk's header and body, false where all are taken.
func (o *outgoing) next() (header, body []byte, more bool) {
	total := len(o.transfer.body)
	end := int(o.offset.Add(chunkBytes))
	begin := end - chunkBytes
	if begin >= total && begin > 0 {
		return nil, nil, false
	}
	body = o.transfer.body[begin:min(end, total)]
	c := chunk{
		transfer: o.number, flags: o.transfer.flags, vm: o.transfer.vm, hash: o.hash,
		total: uint32(total), offset: uint32(begin), length: uint32(len(body)),
	}
	return c.append(make([]byte, 0, chunkHeaderBytes+len(c.vm))), body, true
}

// errBroken is why a transfer on a stream that has gone fails.
var errBroken = errors.New("the connection broke")
