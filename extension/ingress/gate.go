package ingress

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"

	"go.uber.org/zap"
	"google.golang.org/grpc/credentials"
)

// gate is where a gRPC connection comes first: there it can be refused before
// its handshake, and be heard of when the handshake fails.
type gate struct {
	credentials.TransportCredentials
	ingress *ingress
}

var errFull = errors.New("too many connections")

func (c *gate) ServerHandshake(raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	client := clientOf(raw.RemoteAddr().String())
	leave, ok := c.ingress.enterConnection(client)
	if !ok {
		return nil, nil, errFull // gRPC closes it
	}
	secured, info, err := c.TransportCredentials.ServerHandshake(raw)
	if err != nil {
		leave()
		if !errors.Is(err, io.EOF) { // a probe, or a client that thought better of it
			c.ingress.refused("handshake", msgHandshake, client, zap.Error(err))
		}
		return nil, nil, err
	}
	return &connection{Conn: secured, leave: sync.OnceFunc(leave)}, info, nil
}

func (c *gate) Clone() credentials.TransportCredentials {
	return &gate{TransportCredentials: c.TransportCredentials.Clone(), ingress: c.ingress}
}

// connection gives its place back when it is closed, or broken: gRPC closes the
// raw one where it cannot write its first frame.
type connection struct {
	net.Conn
	leave func()
}

func (c *connection) Write(content []byte) (int, error) {
	n, err := c.Conn.Write(content)
	if err != nil {
		c.leave()
	}
	return n, err
}

func (c *connection) Close() error {
	c.leave()
	return c.Conn.Close()
}

// enterConnection takes a place among the open gRPC connections.
func (g *ingress) enterConnection(client string) (leave func(), ok bool) {
	switch g.connections.enter(client) {
	case clientFull:
		g.refused("connections_of_client", msgTooManyConnected, client)
		return nil, false
	case allFull:
		g.refused("connections", msgTooManyConnected, client)
		return nil, false
	}
	g.telemetry.IngressConnections.Add(context.Background(), 1)
	return func() {
		g.connections.leave(client)
		g.telemetry.IngressConnections.Add(context.Background(), -1)
	}, true
}
