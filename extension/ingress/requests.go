package ingress

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"go.opentelemetry.io/collector/extension/extensionmiddleware"
)

// retryAfter is how long who was refused is asked to wait.
const retryAfter = time.Second

// enterRequest takes a place among the requests under way.
func (g *ingress) enterRequest(client string) (leave func(), ok bool) {
	switch g.requests.enter(client) {
	case clientFull:
		g.refused("requests_of_client", msgTooManyRequests, client)
		return nil, false
	case allFull:
		g.refused("requests", msgTooManyRequests, client)
		return nil, false
	}
	g.telemetry.IngressRequests.Add(context.Background(), 1)
	return func() {
		g.requests.leave(client)
		g.telemetry.IngressRequests.Add(context.Background(), -1)
	}, true
}

// GetHTTPHandler returns what guards an HTTP server: it comes after its
// authenticator and before its body is read, but for the first bytes of a
// compressed one.
func (g *ingress) GetHTTPHandler(context.Context) (extensionmiddleware.WrapHTTPHandlerFunc, error) {
	return func(_ context.Context, next http.Handler) (http.Handler, error) {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			leave, ok := g.enterRequest(clientOf(r.RemoteAddr))
			if !ok {
				w.Header().Set("Retry-After", strconv.Itoa(int(retryAfter.Seconds())))
				http.Error(w, errTooMany.Error(), http.StatusTooManyRequests)
				return
			}
			defer leave()
			next.ServeHTTP(w, r)
		}), nil
	}, nil
}
