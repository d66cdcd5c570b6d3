package faults

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
)

// proxy stands between collectors and PostgreSQL on loopback. It reads the
// messages of the protocol, so that it can cut at a chosen one.
type proxy struct {
	*rig
	listener      net.Listener
	network, addr string // of PostgreSQL

	mu    sync.Mutex
	watch func(message) verdict // nil: forward everything
	lines map[net.Conn]net.Conn // client → server
}

// message is one of the protocol's: https://www.postgresql.org/docs/current/protocol-message-formats.html
type message struct {
	fromServer bool
	kind       byte // 0 for the client's first, which has none
	body       []byte
	rowsSent   bool // in this transaction, by COPY
}

func (m message) isCommitAnswer() bool {
	return m.fromServer && m.kind == 'C' && string(m.body) == "COMMIT\x00"
}

// isCommitted is the server's word that rows are committed: maintenance, and
// what looks whether the table can be written to, commit as well.
func (m message) isCommitted() bool { return m.isCommitAnswer() && m.rowsSent }

// isCommit is the client's wish to commit: alone, or prepared with others.
func (m message) isCommit() bool {
	return !m.fromServer && (m.kind == 'Q' || m.kind == 'P') && strings.Contains(strings.ToLower(string(m.body)), "commit\x00")
}

// isCopyData is a part of the rows of a COPY; one of none is but a header and a
// trailer.
func (m message) isCopyData() bool {
	return !m.fromServer && m.kind == 'd' && len(m.body) > len(decision.CopyHeader)+len(decision.CopyTrailer)
}

type verdict uint8

const (
	forward verdict = iota
	cut             // swallow it and close both sides
)

// useProxy puts a proxy between the collectors and PostgreSQL; for prepare.
func (r *rig) useProxy() {
	r.Helper()
	config, err := pgx.ParseConfig(r.dsn)
	require.NoError(r, err)
	p := &proxy{rig: r, lines: map[net.Conn]net.Conn{}}
	p.network, p.addr = pgconn.NetworkAddress(config.Host, config.Port)
	p.listener, err = net.Listen("tcp", "127.0.0.1:0")
	require.NoError(r, err)
	r.dsn = (&url.URL{Scheme: "postgres", User: url.User(config.User), Host: p.listener.Addr().String(),
		Path: config.Database, RawQuery: "sslmode=disable"}).String()
	r.proxy = p
	go p.serve()
	r.Cleanup(func() { _ = p.listener.Close(); p.cutAll() })
}

func (p *proxy) serve() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial(p.network, p.addr)
		if err != nil {
			_ = client.Close()
			continue
		}
		p.mu.Lock()
		p.lines[client] = server
		p.mu.Unlock()
		rowsSent := new(atomic.Bool)
		go p.pump(client, server, false, rowsSent)
		go p.pump(server, client, true, rowsSent)
	}
}

// cutAll closes every connection there is.
func (p *proxy) cutAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for client, server := range p.lines {
		_, _ = client.Close(), server.Close()
		delete(p.lines, client)
	}
}

// pump forwards one direction until it ends or is cut.
func (p *proxy) pump(from, to net.Conn, fromServer bool, rowsSent *atomic.Bool) {
	defer func() { _, _ = from.Close(), to.Close() }()
	reader := bufio.NewReader(from)
	for first := !fromServer; ; first = false {
		raw, m, err := readMessage(reader, first)
		if err != nil {
			return
		}
		m.fromServer = fromServer
		if m.isCopyData() {
			rowsSent.Store(true)
		}
		m.rowsSent = rowsSent.Load()
		if m.isCommitAnswer() {
			rowsSent.Store(false)
		}
		if p.judge(m) == cut {
			return
		}
		if _, err := to.Write(raw); err != nil {
			return
		}
	}
}

func (p *proxy) judge(m message) verdict {
	p.mu.Lock()
	watch := p.watch
	p.mu.Unlock()
	if watch == nil {
		return forward
	}
	return watch(m)
}

// onNext has the next message that matches dealt with by do, once; it returns
// when that has happened.
func (p *proxy) onNext(what string, matches func(message) bool, do func() verdict) {
	p.Helper()
	var once sync.Once
	done := make(chan struct{})
	p.setWatch(func(m message) (v verdict) {
		if matches(m) {
			once.Do(func() {
				v = do()
				close(done)
			})
		}
		return v
	})
	p.eventually(what, func() bool {
		select {
		case <-done:
			return true
		default:
			return false
		}
	})
	p.setWatch(nil)
}

// silence holds every message back, without closing anything, until the returned
// function is called.
func (p *proxy) silence() (release func()) {
	spoken := make(chan struct{})
	p.setWatch(func(message) verdict {
		<-spoken
		return forward
	})
	return func() {
		p.setWatch(nil)
		close(spoken)
	}
}

func (p *proxy) setWatch(watch func(message) verdict) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.watch = watch
}

const longestMessage = 64 << 20

func readMessage(reader *bufio.Reader, first bool) (raw []byte, m message, err error) {
	head := make([]byte, 5)
	if first {
		head = head[:4]
	}
	if _, err := io.ReadFull(reader, head); err != nil {
		return nil, m, err
	}
	if !first {
		m.kind = head[0]
	}
	length := binary.BigEndian.Uint32(head[len(head)-4:])
	if length < 4 || length > longestMessage {
		return nil, m, fmt.Errorf("a message of %d bytes", length)
	}
	raw = slices.Concat(head, make([]byte, length-4))
	m.body = raw[len(head):]
	_, err = io.ReadFull(reader, m.body)
	return raw, m, err
}
