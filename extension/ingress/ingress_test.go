package ingress

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/tap"

	"github.com/novacron/dwcp-telemetry/extension/ingress/internal/metadata"
)

// A loaded machine takes seconds for what takes milliseconds elsewhere.
const (
	waitLimit = 3 * time.Minute
	waitTick  = 5 * time.Millisecond
)

func newTestIngress(t *testing.T, requests Limit) (*ingress, *observer.ObservedLogs) {
	t.Helper()
	core, log := observer.New(zap.WarnLevel)
	set := extensiontest.NewNopSettings(metadata.Type)
	set.Logger = zap.New(core)
	config := newDefaultConfig()
	config.Requests = requests
	g, err := newIngress(set, config)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, g.Shutdown(context.Background())) })
	return g, log
}

// from is the context of a request of a client.
func from(t *testing.T, address string) (context.Context, context.CancelFunc) {
	t.Helper()
	ctx, cancel := context.WithCancel(peer.NewContext(t.Context(), &peer.Peer{Addr: &net.TCPAddr{IP: net.ParseIP(address), Port: 1}}))
	t.Cleanup(cancel)
	return ctx, cancel
}

func TestAClientThatTakesAllItMayLeavesRoomForOthers(t *testing.T) {
	t.Parallel()
	g, log := newTestIngress(t, Limit{All: 3, Client: 2})
	flooding, _ := from(t, "192.0.2.1")
	for range 2 {
		_, err := g.admit(flooding, &tap.Info{})
		require.NoError(t, err)
	}
	_, err := g.admit(flooding, &tap.Info{})
	told := status.Convert(err)
	require.Equal(t, codes.ResourceExhausted, told.Code())
	require.Equal(t, retryAfter, told.Details()[0].(*errdetails.RetryInfo).GetRetryDelay().AsDuration())
	require.Equal(t, "192.0.2.1", log.FilterMessage(msgTooManyRequests).All()[0].ContextMap()["client"])

	other, _ := from(t, "192.0.2.2")
	_, err = g.admit(other, &tap.Info{})
	require.NoError(t, err)
	third, _ := from(t, "192.0.2.3")
	_, err = g.admit(third, &tap.Info{})
	require.Equal(t, codes.ResourceExhausted, status.Code(err), "all places are taken")
}

func TestARequestThatItsClientGivesUpLeavesItsPlace(t *testing.T) {
	t.Parallel()
	g, _ := newTestIngress(t, Limit{All: 1, Client: 1})
	first, giveUp := from(t, "192.0.2.1")
	_, err := g.admit(first, &tap.Info{})
	require.NoError(t, err)
	giveUp()
	second, _ := from(t, "192.0.2.1")
	require.Eventually(t, func() bool {
		_, err := g.admit(second, &tap.Info{})
		return err == nil
	}, waitLimit, waitTick)
}

func TestWhatIsBeingWorkedOnKeepsItsPlaceWhenItsClientGivesUp(t *testing.T) {
	t.Parallel()
	g, _ := newTestIngress(t, Limit{All: 1, Client: 1})
	first, giveUp := from(t, "192.0.2.1")
	admitted, err := g.admit(first, &tap.Info{})
	require.NoError(t, err)
	second, _ := from(t, "192.0.2.1")
	_, err = g.hold(admitted, nil, nil, func(context.Context, any) (any, error) {
		giveUp()
		<-first.Done()
		_, err := g.admit(second, &tap.Info{})
		require.Equal(t, codes.ResourceExhausted, status.Code(err))
		return nil, nil
	})
	require.NoError(t, err)
	_, err = g.admit(second, &tap.Info{})
	require.NoError(t, err)
}

func TestWhatItsClientHasGivenUpAlreadyIsNotBegun(t *testing.T) {
	t.Parallel()
	g, _ := newTestIngress(t, Limit{All: 1, Client: 1})
	first, giveUp := from(t, "192.0.2.1")
	admitted, err := g.admit(first, &tap.Info{})
	require.NoError(t, err)
	giveUp()
	_, err = g.hold(admitted, nil, nil, func(context.Context, any) (any, error) {
		t.Error("it is worked on without a place")
		return nil, nil
	})
	require.Equal(t, codes.Canceled, status.Code(err))
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		g.requests.mu.Lock()
		defer g.requests.mu.Unlock()
		assert.Zero(c, g.requests.open)
	}, waitLimit, waitTick)
}

func TestHTTPRequestsHaveTheSamePlaces(t *testing.T) {
	t.Parallel()
	g, _ := newTestIngress(t, Limit{All: 1, Client: 1})
	wrap, err := g.GetHTTPHandler(t.Context())
	require.NoError(t, err)
	var handler http.Handler
	inside := httptest.NewRecorder()
	handler, err = wrap(t.Context(), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(inside, r) // while the first is under way
		w.WriteHeader(http.StatusNoContent)
	}))
	require.NoError(t, err)
	outside := httptest.NewRecorder()
	handler.ServeHTTP(outside, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/logs", nil))
	require.Equal(t, http.StatusNoContent, outside.Code)
	require.Equal(t, http.StatusTooManyRequests, inside.Code)
	require.Equal(t, "1", inside.Header().Get("Retry-After"))
	require.Zero(t, g.requests.open)
	require.Empty(t, g.requests.client, "nothing is remembered of a client that has nothing open")
}

type host struct {
	component.Host
	extensions map[component.ID]component.Component
}

func (h host) GetExtensions() map[component.ID]component.Component { return h.extensions }

// knows lets one token in.
type knows struct {
	component.StartFunc
	component.ShutdownFunc
	token string
}

func (k knows) Authenticate(ctx context.Context, header map[string][]string) (context.Context, error) {
	if got := header["authorization"]; len(got) == 1 && got[0] == k.token {
		return ctx, nil
	}
	return ctx, errors.New("not known")
}

func TestWhoIsNotKnownIsRefusedBeforeAMessageIsRead(t *testing.T) {
	t.Parallel()
	g, log := newTestIngress(t, Limit{All: 1, Client: 1})
	id := component.MustNewID("bearertokenauth")
	g.config.Authenticator = &id
	require.ErrorContains(t, g.Start(t.Context(), host{componenttest.NewNopHost(), nil}), "authenticator: bearertokenauth is no extension")
	require.NoError(t, g.Start(t.Context(), host{componenttest.NewNopHost(), map[component.ID]component.Component{id: knows{token: "t0ken"}}}))
	ctx, _ := from(t, "192.0.2.1")
	for range 3 {
		_, err := g.admit(ctx, &tap.Info{Header: map[string][]string{"authorization": {"wrong-t0ken"}}})
		require.Equal(t, codes.Unauthenticated, status.Code(err))
	}
	require.Len(t, log.FilterMessage(msgUnauthenticated).All(), 3)
	for _, line := range log.All() {
		for _, value := range line.ContextMap() {
			require.NotContains(t, value, "t0ken")
		}
	}
	_, err := g.admit(ctx, &tap.Info{Header: map[string][]string{"authorization": {"t0ken"}}})
	require.NoError(t, err, "who was refused has taken no place")
}

func TestPrivateFilesAreHeldToLibpqsRule(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "server.key")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	owner := os.Geteuid()
	for mode, fine := range map[os.FileMode]bool{
		0o600: true, 0o400: true, 0o640: owner == 0, 0o660: false, 0o604: false, 0o644: false, 0o700: true,
	} {
		require.NoError(t, os.Chmod(file, mode))
		err := checkPrivate([]string{"", file})
		if fine {
			require.NoError(t, err, "%o", mode)
			continue
		}
		require.ErrorContains(t, err, "so others can read it: must be 0600", "%o", mode)
	}
	require.ErrorContains(t, checkPrivate([]string{file + ".missing"}), "private_files: stat ")
}

func TestWrongSettingsAreToldByTheirKeys(t *testing.T) {
	t.Parallel()
	require.NoError(t, newDefaultConfig().Validate())
	require.EqualError(t, (&Config{Connections: Limit{All: 1, Client: 2}}).Validate(), `connections::client: must be 1..1 (connections::all), got 2
requests::all: must be at least 1, got 0
requests::client: must be 1..0 (requests::all), got 0
handshake_timeout: must be > 0 and at most 2m0s, got 0s`)
}
