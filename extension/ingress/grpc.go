package ingress

import (
	"context"
	"fmt"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/tap"
	"google.golang.org/protobuf/types/known/durationpb"
)

// maxHeaderBytes is far above what OTLP sends; gRPC's own limit is 16 MiB for
// each request, read before anything can refuse it.
const maxHeaderBytes = 16 << 10

// GetGRPCServerOptions returns what guards a gRPC server.
func (g *ingress) GetGRPCServerOptions(ctx context.Context) ([]grpc.ServerOption, error) {
	transport := insecure.NewCredentials()
	if g.config.TLS.HasValue() {
		tls, err := g.config.TLS.Get().LoadTLSConfig(ctx)
		if err != nil {
			return nil, fmt.Errorf("tls: %w", err)
		}
		transport = credentials.NewTLS(tls)
	}
	return []grpc.ServerOption{
		grpc.Creds(&gate{TransportCredentials: transport, ingress: g}),
		grpc.ConnectionTimeout(g.config.HandshakeTimeout),
		grpc.MaxHeaderListSize(maxHeaderBytes),
		grpc.InTapHandle(g.admit),
		grpc.ChainUnaryInterceptor(g.hold),
	}, nil
}

// admit comes after a request's headers and before its message is read.
func (g *ingress) admit(ctx context.Context, info *tap.Info) (context.Context, error) {
	client := "unknown"
	if p, ok := peer.FromContext(ctx); ok {
		client = clientOf(p.Addr.String())
	}
	if g.auth != nil {
		if _, err := g.auth.Authenticate(ctx, info.Header); err != nil {
			g.refused("unauthenticated", msgUnauthenticated, client)
			return nil, status.Error(codes.Unauthenticated, err.Error())
		}
	}
	leave, ok := g.enterRequest(client)
	if !ok {
		return nil, statusTooMany
	}
	// The context ends with the request, whatever becomes of it.
	h := &held{leave: leave}
	h.stop = context.AfterFunc(ctx, leave)
	return context.WithValue(ctx, heldKey{}, h), nil
}

// held is an admitted request's place.
type held struct {
	leave func()
	stop  func() bool
}

type heldKey struct{}

// hold keeps the place of a request that its client gives up for as long as it
// is being worked on. One that was given up before has left its place, and is not
// begun: else a client that gives up at once would have as many as it likes.
func (g *ingress) hold(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	if h, ok := ctx.Value(heldKey{}).(*held); ok {
		if !h.stop() {
			return nil, status.FromContextError(ctx.Err()).Err()
		}
		defer h.leave()
	}
	return handler(ctx, request)
}

// statusTooMany has the pause that OTLP asks of a server that is overloaded.
var statusTooMany = func() error {
	s := status.New(codes.ResourceExhausted, errTooMany.Error())
	detailed, err := s.WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(retryAfter)})
	if err != nil {
		return s.Err()
	}
	return detailed.Err()
}()
