package dwcp

import (
	"bufio"
	"fmt"
	"sync"
)

// stream is one TCP connection of a [Streams].
type stream struct {
	conn    *linkConn
	reading sync.WaitGroup
	writing sync.Mutex // a chunk is written in one piece

	mu       sync.Mutex
	waiting  map[uint64]*outgoing // by number
	brokenBy error
}

func newStream(conn *linkConn) *stream {
	s := &stream{conn: conn, waiting: map[uint64]*outgoing{}}
	s.reading.Go(s.read)
	return s
}

// read passes acknowledgements on.
func (s *stream) read() {
	reader := bufio.NewReaderSize(s.conn, 256)
	for {
		number, v, err := readAck(reader)
		if err != nil {
			s.fail(fmt.Errorf("%w: %w", errBroken, err))
			return
		}
		s.mu.Lock()
		if out := s.waiting[number]; out != nil {
			out.verdict.Store(uint32(v))
			out.end(nil)
		}
		s.mu.Unlock()
	}
}

func (s *stream) write(header, body []byte) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if _, err := s.conn.Write(header); err != nil {
		return fmt.Errorf("%w: %w", errBroken, err)
	}
	if _, err := s.conn.Write(body); err != nil {
		return fmt.Errorf("%w: %w", errBroken, err)
	}
	return nil
}

// expect announces a transfer whose acknowledgement, or failure, may come on
// this stream.
func (s *stream) expect(out *outgoing) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting[out.number] = out
	if s.brokenBy != nil {
		out.end(s.brokenBy)
	}
}

func (s *stream) forget(out *outgoing) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.waiting, out.number)
}

// fail ends the stream and every transfer on it.
func (s *stream) fail(err error) {
	s.mu.Lock()
	if s.brokenBy == nil {
		s.brokenBy = err
	}
	for _, out := range s.waiting {
		out.end(s.brokenBy)
	}
	s.mu.Unlock()
	_ = s.conn.Close()
}

func (s *stream) broken() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.brokenBy != nil
}
